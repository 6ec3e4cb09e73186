from comfy_api.latest import io

from ..bridge import choices
from ..core.pose.choices import Guesses, Layout, Legs, Parts
from .types import Node, PoseKeypoint

CATEGORY = "recompose/pose"


def threshold() -> io.Float.Input:
    return io.Float.Input(
        "threshold",
        default=0.3,
        min=0.0,
        max=0.99,
        step=0.01,
        advanced=True,
        tooltip="Points with a higher score count as present.",
    )


def drawing() -> list[io.Input]:
    return [
        io.Int.Input(
            "stick_width",
            default=4,
            min=1,
            max=64,
            tooltip="Half the breadth of the sticks and the radius of the joints in pixels; 4 for SD 1.5.",
        ),
        io.Boolean.Input("hands", default=True, tooltip="Draw the hands where the pose has them."),
        io.Boolean.Input("face", default=True, tooltip="Draw the face's points where the pose has them."),
        io.Boolean.Input(
            "feet",
            default=False,
            tooltip="Draw heels and toes. Off, because SD 1.5 ControlNets were trained without feet.",
        ),
    ]


class LoadPose(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeLoadPose",
            display_name="Load Pose",
            category=CATEGORY,
            search_aliases=["openpose json", "keypoints", "dwpose", "skeleton"],
            description="Reads people from OpenPose JSON and its relatives: COCO, BODY_25, Halpe or "
            "COCO-WholeBody points.",
            inputs=[
                io.String.Input(
                    "text",
                    default="",
                    multiline=True,
                    tooltip="OpenPose JSON, saved in the workflow. If empty, the file is read.",
                ),
                io.Combo.Input(
                    "file",
                    options=choices.pose_files(),
                    default=choices.NO_FILE,
                    tooltip="A .json file in ComfyUI's input folder, read when the text is empty.",
                ),
                io.Combo.Input(
                    "layout",
                    options=[layout.value for layout in Layout],
                    default=Layout.AUTO.value,
                    tooltip="Which points the file lists; auto goes by their number (17, 18, 25, 26, 133).",
                ),
                threshold(),
                io.Int.Input(
                    "width",
                    default=0,
                    min=0,
                    max=16384,
                    tooltip="Width of the pose's picture, if the file lacks it. 0: from the file or image.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    min=0,
                    max=16384,
                    tooltip="Height of the pose's picture, if the file lacks it. 0: from the file or image.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="The picture the pose belongs to; a pose made at another size of it is scaled.",
                ),
            ],
            outputs=[PoseKeypoint.Output("pose")],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        from ..bridge import pose as bridge

        # The list leaves subfolders out, but a workflow may name a file in one.
        return bridge.problem(file) or True

    @classmethod
    def fingerprint_inputs(cls, text="", file=choices.NO_FILE, **others) -> str:
        from ..bridge import pose as bridge

        return bridge.fingerprint(text, file)

    @classmethod
    def execute(cls, text, file, layout, threshold, width, height, image=None) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge import pose as bridge

        with notices.collect() as found:
            pose = bridge.load(text, file, layout, threshold, (width, height), image)
        return io.NodeOutput(pose, ui=found.ui())


class CompletePose(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeCompletePose",
            display_name="Complete Pose",
            category=CATEGORY,
            search_aliases=["feet", "legs", "full body", "missing keypoints", "openpose"],
            description="Estimates hips, knees, ankles, heels and toes outside the picture from body "
            "proportions, and gives the canvas they need beyond each side.",
            has_intermediate_output=True,
            inputs=[
                PoseKeypoint.Input("pose"),
                io.Float.Input(
                    "max_extension",
                    default=2.0,
                    min=0.0,
                    max=10.0,
                    step=0.05,
                    advanced=True,
                    tooltip="The most a side may need, in picture heights; more is an error.",
                ),
                threshold(),
                io.Combo.Input(
                    "legs",
                    options=[legs.value for legs in Legs],
                    default=Legs.AUTO.value,
                    optional=True,
                    tooltip="What hidden legs do. auto: inferred from trunk, arms and thighs, else standing.",
                ),
                io.Combo.Input(
                    "detector_guesses",
                    options=[guesses.value for guesses in Guesses],
                    default=Guesses.MIX.value,
                    optional=True,
                    advanced=True,
                    tooltip="Leg points that Detect Pose guessed beyond the picture. mix: averaged with the "
                    "estimate. keep: left as they are. ignore: estimated anew.",
                ),
            ],
            outputs=[
                PoseKeypoint.Output("pose"),
                io.Int.Output("left", tooltip="Pixels needed beyond this side, without margin."),
                io.Int.Output("top"),
                io.Int.Output("right"),
                io.Int.Output("bottom"),
            ],
        )

    @classmethod
    def execute(
        cls, pose, max_extension, threshold, legs=Legs.AUTO.value, detector_guesses=Guesses.MIX.value
    ) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge import pose as bridge

        with notices.collect() as found:
            completed, needed, report = bridge.complete(
                pose, max_extension, threshold, legs, detector_guesses
            )
        return io.NodeOutput(completed, *needed, ui=found.ui(report))


class DrawPose(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeDrawPose",
            display_name="Draw Pose",
            category=CATEGORY,
            search_aliases=["openpose", "control image", "skeleton", "render keypoints", "hands", "face"],
            description="Draws the skeleton exactly as the OpenPose ControlNets were trained on it.",
            inputs=[
                PoseKeypoint.Input("pose"),
                *drawing(),
                threshold(),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, pose, stick_width, hands, face, feet, threshold) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge import pose as bridge

        with notices.collect() as found:
            drawn = bridge.draw(pose, stick_width, hands, face, feet, threshold)
        return io.NodeOutput(drawn, ui=found.ui())


class LimbMask(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeLimbMask",
            display_name="Limb Mask",
            category=CATEGORY,
            search_aliases=["pose mask", "body part mask", "feet mask", "openpose mask"],
            description="A mask around parts of the body, around estimated points, or around what moved "
            "between two poses.",
            inputs=[
                PoseKeypoint.Input("pose"),
                io.Combo.Input(
                    "parts",
                    options=[part.value for part in Parts],
                    default=Parts.ESTIMATED.value,
                    tooltip="estimated: what Complete Pose added. moved: where a limb is in this pose and in "
                    "the other one.",
                ),
                io.Float.Input(
                    "width",
                    default=12.0,
                    min=0.1,
                    max=100.0,
                    step=0.5,
                    tooltip="Breadth of the mask around a limb in % of the body (of the person's stature).",
                ),
                io.Boolean.Input(
                    "allow_repainting_photo",
                    default=False,
                    tooltip="On: the mask may leave the connected area and cover pixels of the photo.",
                ),
                threshold(),
                io.Mask.Input(
                    "within",
                    optional=True,
                    tooltip="The area that may be repainted, usually the new area from Extend Canvas.",
                ),
                PoseKeypoint.Input(
                    "other_pose", optional=True, tooltip="The pose to compare with, for *moved*."
                ),
            ],
            outputs=[io.Mask.Output()],
        )

    @classmethod
    def execute(
        cls, pose, parts, width, allow_repainting_photo, threshold, within=None, other_pose=None
    ) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge import pose as bridge

        area = None if allow_repainting_photo else within
        with notices.collect() as found:
            mask = bridge.mask_limbs(pose, parts, width, threshold, area, other_pose)
        return io.NodeOutput(mask, ui=found.ui())


NODES = [LoadPose, CompletePose, DrawPose, LimbMask]
