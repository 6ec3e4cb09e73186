from typing import Any

from comfy_api.latest import io

from ..bridge import choices
from ..core.pose.choices import NETWORKS, PERSON_SCORE
from .types import Node, PoseKeypoint

DETECTORS = (
    "auto: BlazePose, which comes with the pack. BlazePose: body, heels and big toes. DWPose: body, feet, "
    "hands and face, files in models/dwpose. OpenPose: body, hands and face, files in models/openpose. "
    "keypoint model: one person's body and feet, by a small model in models/keypoint_models."
)


class DetectPose(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeDetectPose",
            display_name="Detect Pose",
            category="recompose/pose",
            search_aliases=[
                *("openpose", "dwpose", "pose estimation", "keypoints", "preprocessor", "skeleton"),
                *("hands", "face", "feet"),
            ],
            description="Finds the people in each picture: body and, by detector, feet, hands and face.",
            has_intermediate_output=True,
            inputs=[
                io.Image.Input("image"),
                io.DynamicCombo.Input(
                    "detector",
                    options=[
                        io.DynamicCombo.Option(choices.AUTO, []),
                        io.DynamicCombo.Option(choices.BLAZEPOSE, [network(), person_score(PERSON_SCORE)]),
                        io.DynamicCombo.Option(choices.DWPOSE, [resolution(1024), person_score(0.5)]),
                        io.DynamicCombo.Option(choices.OPENPOSE, [resolution(512), hands(), face()]),
                        io.DynamicCombo.Option(choices.KEYPOINT_MODEL, [keypoint_file()]),
                    ],
                    tooltip=DETECTORS,
                ),
                io.Float.Input(
                    "threshold",
                    default=0.3,
                    min=0.0,
                    max=0.99,
                    step=0.01,
                    tooltip="Points with a higher score count as present.",
                ),
            ],
            outputs=[
                PoseKeypoint.Output("pose"),
                io.Image.Output("preview", tooltip="The dimmed picture with the skeletons on it."),
            ],
        )

    @classmethod
    def validate_inputs(cls, detector: dict | None = None) -> bool | str:
        from ..bridge.detectors import detect

        choices.require(cls, detector=detector)
        return detect.problem(detector) or True

    @classmethod
    def fingerprint_inputs(
        cls, detector: dict | None = None, **_others: object
    ) -> list[tuple[str, int, int]]:
        from ..bridge.detectors import detect

        return detect.fingerprint(detector)

    @classmethod
    def execute(cls, image, detector: Any = None, threshold=0.3) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.detectors import detect

        with notices.collect() as found:
            pose, preview, report = detect.detect(image, detector, threshold)
        return io.NodeOutput(pose, preview, ui=found.ui(report))


def resolution(default: int) -> io.Int.Input:
    return io.Int.Input(
        "resolution",
        default=default,
        min=64,
        max=4096,
        step=8,
        tooltip="The shorter side of what the detector sees, in pixels; larger pictures are reduced to it.",
    )


def network() -> io.Combo.Input:
    return io.Combo.Input(
        "network",
        options=[choices.LARGEST, *NETWORKS],
        tooltip="The landmarks network. largest: the largest whose file is there; larger ones are a little "
        "more accurate.",
    )


def person_score(default: float) -> io.Float.Input:
    return io.Float.Input(
        "person_score",
        default=default,
        min=0.05,
        max=0.95,
        step=0.05,
        advanced=True,
        tooltip="People detected with at least this score are used.",
    )


def hands() -> io.Boolean.Input:
    return io.Boolean.Input("hands", default=True, tooltip="Look for the hands, too.")


def face() -> io.Boolean.Input:
    return io.Boolean.Input("face", default=True, tooltip="Look for the points of the face, too.")


def keypoint_file() -> io.Combo.Input:
    return io.Combo.Input(
        "model", options=choices.keypoint_models(), tooltip="A file in models/keypoint_models."
    )


NODES = [DetectPose]
