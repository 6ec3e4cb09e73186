"""`python3 cli demo --server URL`: the whole person from a cropped photo, every original pixel unchanged.

Needs the standard library and Pillow only. Without --server the lab's demo runs; with --plan-only nothing
is painted (plan/).
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import ending, lab, large, layout, notes, planning, run, saving
from .comfy import answers, definitions, workflow
from .comfy.answers import items, record
from .comfy.client import Client, ServerError
from .comfy.progress import Progress
from .demo_options import parser
from .words import line

if TYPE_CHECKING:
    from PIL import Image

WORKFLOW = lab.ROOT / "workflows" / "api" / "full_body.json"
LAYOUT = lab.ROOT / "workflows" / "full_body.json"
PHOTO, POSE = lab.ROOT / "docs" / "demo" / "photo.png", lab.ROOT / "docs" / "demo" / "photo_pose.json"
REFERENCE = "photo as loaded"  # a node of ours beside the workflow's own; ids are free text
SURE = 0.5  # the score from which a found point counts
DETECTORS = {
    "auto": {"detector": "auto"},
    "BlazePose": {"detector": "BlazePose", "detector.network": "largest", "detector.person_score": 0.45},
    "DWPose": {"detector": "DWPose", "detector.resolution": 1024, "detector.person_score": 0.5},
    "OpenPose": {
        "detector": "OpenPose",
        "detector.resolution": 512,
        "detector.hands": True,
        "detector.face": False,
    },
}
CHOICES = {
    "checkpoint": "Checkpoint.ckpt_name",
    "controlnet": "ControlNet.control_net_name",
    "caption_model": "Caption.model",
}
PHASES = {
    "loading": ("Checkpoint", "ControlNet"),
    "caption": ("Caption",),
    "outpaint": ("Outpaint",),
    "ControlNet pass": ("ControlNet pass",),
}


class Photo(NamedTuple):
    """How a large photo may have been read, none for a smaller one, and what asks the server for it."""

    readings: Iterable[Image.Image]
    loaded: Callable[[], Image.Image]


class DemoError(ending.Misuse):
    """A sentence for the user about the options or what the server lacks."""


def check_files(options: argparse.Namespace) -> tuple[Path, str | None]:
    """The photo and the text of its pose, None if it is to be found; DemoError on what is wrong with them."""
    if options.plan_only and (options.server or options.detector):
        raise DemoError(
            "--plan-only asks no server and finds people with BlazePose; leave out --server and --detector."
        )
    if options.pose and not options.image:
        raise DemoError("--pose belongs to a photo: give that with --image FILE.")
    if options.pose and options.detector:
        raise DemoError("--pose and --detector both give the pose; leave one out.")
    image = options.image or PHOTO
    check_picture(image)
    if options.pose:
        return image, pose_text(options.pose)
    own = options.image or options.detector or not (options.server or options.plan_only)
    return image, None if own else pose_text(POSE)


def check_picture(image: Path) -> None:
    """DemoError unless the file is a whole picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(image) as picture:
            # A JPEG is read to its end in any case; at the smallest scale that takes a tenth of the time.
            picture.draft(None, (1, 1))
            picture.load()
    except UnidentifiedImageError as error:
        raise DemoError(f"{image} is not a picture.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DemoError(
            f"Cannot read the picture {image}: {getattr(error, 'strerror', None) or error}."
        ) from error


def pose_text(pose: Path) -> str:
    """The file's text; DemoError unless it is JSON."""
    try:
        text = pose.read_text(encoding="utf-8-sig")
        answers.parse(text)
    except OSError as error:
        raise DemoError(f"Cannot read {pose}: {error.strerror}.") from error
    except ValueError as error:
        raise DemoError(f"{pose} is not JSON ({error}); OpenPose JSON is needed.") from error
    return text


def put(prompt: dict, target: str, value: object) -> None:
    """Set one input of the committed workflow, which has it."""
    identity, name = workflow.locate(prompt, target)
    prompt[identity]["inputs"][name] = value


def detect(prompt: dict, detector: str) -> None:
    """Let Detect Pose find the photo's pose with this detector."""
    settings = DETECTORS.get(detector, {"detector": "keypoint model", "detector.model": detector})
    node = prompt[workflow.find(prompt, "Detect Pose")]
    node["inputs"] = {"image": node["inputs"]["image"], **settings, "threshold": SURE}


def load(prompt: dict, pose: str) -> None:
    """Let Load Pose stand in Detect Pose's place, which has its pose as first output, too."""
    node = prompt[workflow.find(prompt, "Detect Pose")]
    node["class_type"], node["_meta"] = "RecomposeLoadPose", {"title": "Load Pose"}
    node["inputs"] = {
        "text": pose,
        "file": "none",
        "layout": "auto",
        "threshold": 0.3,
        "width": 0,
        "height": 0,
        "image": node["inputs"]["image"],
    }


def compose(options: argparse.Namespace, pose: str | None, detector: str | None = None) -> dict:
    """The committed workflow with this pose, or what is to find it, these models and this seed.

    The photo comes later.
    """
    prompt = workflow.read(WORKFLOW)
    if pose is not None:
        load(prompt, pose)
    elif options.detector or detector:
        detect(prompt, options.detector or detector)
    put(prompt, "Outpaint.seed", options.seed)
    put(prompt, "ControlNet pass.seed", options.seed + 1)
    for option, target in CHOICES.items():
        if getattr(options, option):
            put(prompt, target, getattr(options, option))
    photo = workflow.find(prompt, "Photo")
    prompt[REFERENCE] = {
        "class_type": "PreviewImage",
        "inputs": {"images": [photo, 0]},
        "_meta": {"title": REFERENCE},
    }
    return prompt


def check_server(client: Client, prompt: dict, options: argparse.Namespace) -> None:
    """See that a user's server has the nodes and the models; DemoError names what is missing."""
    known = client.nodes()
    missing = sorted({node["class_type"] for node in prompt.values()} - known.keys())
    if missing:
        raise DemoError(
            f"The server at {client.url} lacks the nodes {', '.join(missing)}; install this pack there "
            "(and update ComfyUI) and start it again."
        )
    lacking = []
    for option, target in CHOICES.items():
        identity, name = workflow.locate(prompt, target)
        entry = definitions.declared(known[prompt[identity]["class_type"]], name, prompt[identity]["inputs"])
        offered = definitions.choices(entry)
        if getattr(options, option) not in offered:
            has = ", ".join(map(str, offered)) or "none"
            lacking.append(f"--{option.replace('_', '-')} NAME (the server has: {has})")
    if lacking:
        raise DemoError("With --server the models are yours; choose them with " + " and ".join(lacking) + ".")


def picture(client: Client, prompt: dict, entry: dict, title: str) -> tuple[bytes, Image.Image]:
    """The first picture a node left, as a file and decoded."""
    from PIL import Image

    from . import report as reporting

    images = items(left(prompt, entry, title).get("images"))
    if not images:
        raise ServerError(f"The server returned no picture from {title}.")
    content = client.fetch(record(images[0]))
    try:
        decoded = Image.open(io.BytesIO(content))
        decoded.load()
        return content, reporting.rgb(decoded)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ServerError(f"What the server returned from {title} is not a picture.") from error


def left(prompt: dict, entry: dict, title: str) -> dict:
    """The outputs of the node with this title."""
    return record(record(entry.get("outputs")).get(workflow.find(prompt, title) or ""))


def told(prompt: dict, entry: dict, title: str) -> dict:
    """What a node of the pack says about its work."""
    report = items(left(prompt, entry, title).get("recompose"))
    if not report or not isinstance(report[0], dict):
        raise ServerError(
            f"The server did not pass on what {title} reports; is it the same version of the pack?"
        )
    return report[0]


def number(value: object) -> float | None:
    """A finite number, or None: JSON has no other."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def phases(prompt: dict, progress: Progress, start: float, total: float) -> dict[str, float]:
    """Seconds of the total, the server's start and each phase; the rest is everything else."""
    titles = {workflow.title(prompt, node): seconds for node, seconds in progress.seconds.items()}
    seconds = {"start": start}
    seconds |= {name: sum(titles.get(part, 0.0) for part in parts) for name, parts in PHASES.items()}
    seconds["rest"] = max(total - sum(seconds.values()), 0.0)
    return {"total": round(total, 2), **{name: round(value, 2) for name, value in seconds.items()}}


def versions(system: dict) -> dict[str, str | None]:
    """Which pack asked and what answered."""
    project = (lab.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    pack = re.search(r'^version = "([^"]+)"', project, re.MULTILINE)
    answered = {key: notes.finite(system.get(f"{key}_version")) for key in ("comfyui", "python", "pytorch")}
    return {"pack": pack and pack[1], **answered}


def figures(
    client: Client, prompt: dict, entry: dict, options: argparse.Namespace, photo: Photo
) -> tuple[dict, list]:
    """The report without its times, and the files of pictures; ServerError where they do not fit together."""
    try:
        return fitting_figures(client, prompt, entry, options, photo)
    except (LookupError, TypeError, ValueError) as error:
        raise ServerError(
            f"The figures and pictures from the server at {client.url} do not belong together; "
            "is it the same version of the pack?"
        ) from error


def fitting_figures(
    client: Client, prompt: dict, entry: dict, options: argparse.Namespace, loaded: Photo
) -> tuple[dict, list]:
    """As `figures`; LookupError, TypeError or ValueError where something is missing or of another kind."""
    from . import report as reporting
    from .plan import drawing

    extension, stitch = told(prompt, entry, "Extend Canvas"), told(prompt, entry, "Stitch Back")
    saved, result = picture(client, prompt, entry, "Full body")
    photo, changed = compared(result, extension["region"], loaded)
    shown = ("Extended canvas", "Repaint mask", "Skeleton")
    canvas, mask, skeleton = (picture(client, prompt, entry, title)[1] for title in shown)
    sheet = reporting.strip(
        [
            ("input", photo),
            ("extended canvas and mask", reporting.tinted(canvas, mask)),
            ("skeleton", skeleton),
            ("result", result),
        ]
    )
    found = {
        "caption": str(told(prompt, entry, "Caption")["captions"][0]),
        "pixels_added": dict(zip(("left", "top", "right", "bottom"), extension["padding"], strict=True)),
        "changed_pixels": changed,
        "seam_ratio": number(stitch.get("seam_ratio")),
        "scale": number(stitch.get("scale")),
        "seed": options.seed,
        "models": {
            option: prompt[workflow.locate(prompt, target)[0]]["inputs"][target.partition(".")[2]]
            for option, target in CHOICES.items()
        },
        "sizes": {"photo": photo.size, "canvas": result.size, "model": skeleton.size},
        "region": extension["region"],
        "versions": versions(client.system()),
        "notices": [notice for each in notes.reports(entry, prompt) for notice in each["notices"]],
    }
    pose = told(prompt, entry, "Edit Pose").get("pose")
    plan = reporting.png(drawing.reported(photo, pose, extension["region"], result.size))
    return found, [("full_body.png", saved), ("strip.png", reporting.png(sheet)), ("plan.png", plan)]


def compared(result: Image.Image, region: dict, photo: Photo) -> tuple[Image.Image, int]:
    """The photo, and how many of its pixels changed.

    That no pixel of any reading of the file changed settles it; otherwise the server's own reading decides.
    """
    from . import report as reporting

    size = region["width"], region["height"]
    for reading in photo.readings:
        if reading.size == size and not reporting.changed_pixels(result, reading, region):
            return reading, 0
    own = photo.loaded()
    return own, reporting.changed_pixels(result, own, region)


def finish(server: Client, prompt: dict, options: argparse.Namespace, image: Path, begin: float) -> dict:
    """Run the composed prompt on a photo, save its files and return the report.

    `server` is what runs it, `begin` when the command began (time.monotonic). Every failure raises with a
    sentence.
    """
    client, size, started = getattr(server, "client", server), large.size_of(image), time.monotonic()
    readings = large.Readings(image) if size else ()
    put(prompt, "Photo.image", client.upload(image))
    alone = large.lighten(prompt, size, REFERENCE) if size else {}
    laid_out = layout.filled(json.loads(LAYOUT.read_text(encoding="utf-8")), prompt)
    entry, progress = run.execute(server, prompt, laid_out)
    for words in notes.lines(notes.reports(entry, prompt)):
        print(words, file=sys.stderr)

    def loaded() -> Image.Image:
        shown = run.execute(server, alone)[0] if alone else entry
        return picture(client, alone or prompt, shown, REFERENCE)[1]

    report, files = figures(client, prompt, entry, options, Photo(readings, loaded))
    report["seconds"] = phases(prompt, progress, started - begin, time.monotonic() - begin)
    files.append(("report.json", (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode()))
    for path in saving.save(options.out, files, overwrite=True):
        print(path)
    return report


def make(options: argparse.Namespace) -> dict:
    """Run the main job on the user's server, save its files and return the report."""
    begin = time.monotonic()
    image, pose = check_files(options)
    prompt, client = compose(options, pose), Client(options.server)
    with saving.into(options.out):
        check_server(client, prompt, options)
        return finish(client, prompt, options, image, begin)


def status_of(make_report: Callable[[], dict], stopped: str = "") -> int:
    """Make the report and print it; the exit status is 0 only when not one pixel of the photo changed.

    `stopped` is what Ctrl-C left.
    """
    from . import report as reporting

    def work() -> int:
        report = make_report()
        print("\n".join(map(line, reporting.lines(report))))
        if report["changed_pixels"]:
            ending.tell("demo", f"{report['changed_pixels']} pixels of the photo changed; none may.")
            return ending.FAILED
        if not any(report["pixels_added"].values()) and report["seam_ratio"] is None:
            ending.tell(
                "demo",
                "nobody reaches beyond the picture, so nothing was added; plan.png shows who was found.",
            )
            return ending.FAILED
        return 0

    return ending.status_of("demo", work, stopped)


def main(arguments: list[str]) -> int:
    """Run the command with a server, or start the lab's demo, which brings a server and small models."""
    options = parser().parse_args(arguments)
    if options.plan_only:
        return planning.here(lambda: check_files(options), options.out, arguments)
    if not options.server:
        return lab.start(["demo", *arguments])
    if importlib.util.find_spec("PIL") is None:
        ending.tell(
            "demo",
            "Expected the library Pillow beside this Python, got none; "
            "install it with: python -m pip install Pillow",
        )
        return ending.MISUSED
    return status_of(lambda: make(options))
