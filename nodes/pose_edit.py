from comfy_api.latest import io

from ..bridge import choices
from .pose import CATEGORY, drawing, threshold
from .types import Node, PoseKeypoint


class EditPose(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeEditPose",
            display_name="Edit Pose",
            category=CATEGORY,
            search_aliases=[
                "openpose editor",
                "skeleton editor",
                "pose editor",
                "keypoints",
                "mannequin",
                "hands",
                "face",
            ],
            description="Edits the skeleton on the node, over the photo and beyond its edges, and draws the "
            "control image.",
            # An output node can be run alone, with only what lies upstream of it.
            is_output_node=True,
            has_intermediate_output=True,
            inputs=[
                io.Combo.Input(
                    "when_pose_changes",
                    options=[choices.KEEP, choices.TAKE],
                    default=choices.KEEP,
                    tooltip="What happens to the edit when another pose comes in than the edited one.",
                ),
                io.Int.Input(
                    "width",
                    default=512,
                    min=64,
                    max=16384,
                    tooltip="Width of the blank canvas, for when neither image nor pose is connected.",
                ),
                io.Int.Input(
                    "height",
                    default=768,
                    min=64,
                    max=16384,
                    tooltip="Height of the blank canvas, for when neither image nor pose is connected.",
                ),
                *drawing(),
                threshold(),
                io.Image.Input("image", optional=True, tooltip="The photo to show under the skeleton."),
                PoseKeypoint.Input(
                    "pose",
                    optional=True,
                    tooltip="The people to start from; without it a standing person.",
                ),
                # Last: a widget below the editor would leave a gap on the node.
                io.String.Input(
                    "edit",
                    default="",
                    optional=True,
                    socketless=True,
                    extra_dict={"widgetType": "RECOMPOSE_POSE"},
                    tooltip="The edit, written by the editor; empty: the pose as it comes in.",
                ),
            ],
            outputs=[
                PoseKeypoint.Output("pose"),
                io.Image.Output("control_image"),
                io.Int.Output("left", tooltip="Pixels needed beyond this side, without margin."),
                io.Int.Output("top"),
                io.Int.Output("right"),
                io.Int.Output("bottom"),
            ],
        )

    @classmethod
    def execute(
        cls,
        when_pose_changes,
        width,
        height,
        stick_width,
        hands,
        face,
        feet,
        threshold,
        image=None,
        pose=None,
        edit="",
    ) -> io.NodeOutput:
        from ..bridge import notices, pose_edit
        from ..core.shapes import Size

        settings, blank = pose_edit.Drawing(stick_width, hands, face, feet), Size(width, height)
        given = (edit, when_pose_changes, blank, settings, threshold, image, pose)
        with notices.collect() as found:
            edited, control_image, needed, report = pose_edit.edit_pose(*given)
        return io.NodeOutput(edited, control_image, *needed, ui=found.ui(report))


NODES = [EditPose]
