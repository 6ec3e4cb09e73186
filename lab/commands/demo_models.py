"""`demo-models`: copy the demo's small models and their model pack into a ComfyUI of your own."""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sys
from pathlib import Path

from ..places import DOCS, LAB
from ..setup import models
from ..setup.environment import Environment

PACK = "recompose-demo-models"
PHOTO = "recompose_demo_photo.png"


class CopyError(RuntimeError):
    """One sentence for the user about the folder or about what lies in it already."""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli demo-models",
        description="Copy the demo's small models, the pack that registers their sizes, and the demo photo "
        "into your own ComfyUI. Nothing is overwritten.",
    )
    options.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="the folder with models/ and custom_nodes/"
    )
    options.add_argument(
        "--link", action="store_true", help="link to the files in this program's cache; saves 85 MB"
    )
    return options


def wanted(assembled: Path, to: Path) -> dict[Path, Path]:
    """Every file to be there, by its place in that ComfyUI."""
    found = {to / "models" / path.relative_to(assembled): path for path in assembled.rglob("*")}
    pack = LAB / "toy" / "model_pack"
    found |= {to / "custom_nodes" / PACK / path.name: path for path in pack.glob("*.py")}
    found[to / "input" / PHOTO] = DOCS / "demo" / "photo.png"
    return {target: source for target, source in sorted(found.items()) if source.is_file()}


def missing(files: dict[Path, Path]) -> dict[Path, Path]:
    """Those that are not there yet; CopyError names others of the same name."""
    # A link to what is gone (an older cache) holds nothing, so it may be replaced.
    there = [target for target in files if target.exists()]
    other = [target for target in there if not filecmp.cmp(target, files[target], shallow=False)]
    if other:
        raise CopyError(
            f"Expected no other file of the same name, got {', '.join(map(str, other))}; "
            "move it away and run this again. Nothing was written."
        )
    return {target: source for target, source in files.items() if target not in there}


def put(target: Path, source: Path, link: bool) -> None:
    """Copy or link one file; a copy is never seen half-written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if link:
        target.symlink_to(source)
        return
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        shutil.copyfile(source, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def install(assembled: Path, to: Path, link: bool) -> dict[Path, Path]:
    """Put what is missing into that ComfyUI and return it."""
    to = to.expanduser().absolute()
    absent = [name for name in ("models", "custom_nodes") if not (to / name).is_dir()]
    if absent:
        raise CopyError(
            f"Expected ComfyUI's folder with models/ and custom_nodes/, got {to} without "
            f"{'/ and '.join(absent)}/; give that folder with --to."
        )
    new = missing(wanted(assembled, to))
    for target, source in new.items():
        put(target, source, link)
    return new


def main(arguments: list[str], environment: Environment) -> int:
    """Run the command and return its exit status."""
    options = parser().parse_args(arguments)
    try:
        new = install(models.assembled(environment.cache), options.to, options.link)
    except OSError as error:
        print(f"demo-models: Cannot write {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    except RuntimeError as error:
        print(f"demo-models: {error}", file=sys.stderr)
        return 1
    for target in new:
        print(target)
    size = sum(source.stat().st_size for source in new.values()) / 1e6
    verb = "Linked" if options.link else "Copied"
    print(
        f"{verb} {len(new)} files ({size:.0f} MB). Restart ComfyUI; then drop the "
        "full_body.png of `python3 cli demo` on its page."
    )
    return 0
