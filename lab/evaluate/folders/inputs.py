"""Which file belongs to which: pictures, masks, captions and poses by the stem of their names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ....cli.ending import Misuse
from ....cli.words import line
from . import pictures

POSES = (".json",)
SHOWN = 20  # names in one sentence
NAMES, TEXTS = ("file_name", "file", "image", "name"), ("caption", "text", "prompt")


class Pair(NamedTuple):
    """All that there is of one picture; without a pair (whole sets) either picture is None."""

    stem: str
    real: Path | None
    made: Path | None
    mask: Path | None = None
    caption: str | None = None
    pose: Path | None = None  # the pose that was wanted
    made_pose: Path | None = None  # the pose that was found in the made picture


class Given(NamedTuple):
    """The folders and files of the command's options."""

    real: Path
    made: Path
    masks: Path | None = None
    captions: Path | None = None
    poses: Path | None = None
    made_poses: Path | None = None


def listed(names: Iterable[str]) -> str:
    """Names in a sentence, the first twenty of them."""
    every = sorted(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return line(", ".join(every[:SHOWN])) + more


def files(folder: Path, endings: tuple[str, ...], option: str) -> dict[str, Path]:
    """The folder's files by stem; Misuse for no folder, no file, or two files of one stem."""
    if not folder.is_dir():
        raise Misuse(f"Expected a folder after {option}, got {line(folder)}; name one that is there.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in endings or not path.is_file():
            continue
        if path.stem in found:
            raise Misuse(
                f"Expected one file for each name in {line(folder)}, got {line(found[path.stem].name)} and "
                f"{line(path.name)}; take one out."
            )
        found[path.stem] = path
    if not found:
        raise Misuse(
            f"Expected files ending in {', '.join(endings)} in {line(folder)} ({option}), got none; name the "
            "folder that holds them itself."
        )
    return found


def both(given: Given) -> tuple[dict[str, Path], dict[str, Path]]:
    """The real and the made pictures by stem."""
    return files(given.real, pictures.ENDINGS, "--real"), files(given.made, pictures.ENDINGS, "--made")


def pairs(given: Given) -> list[Pair]:
    """Every picture with what belongs to it, by name; Misuse that lists whatever has no counterpart."""
    real, made = both(given)
    masks = files(given.masks, pictures.ENDINGS, "--masks") if given.masks else {}
    poses = files(given.poses, POSES, "--poses") if given.poses else {}
    made_poses = files(given.made_poses, POSES, "--made-poses") if given.made_poses else {}
    captions = read_captions(given.captions) if given.captions else {}
    wrong = [*unmatched("--real", real, made)]
    for option, found in (("--masks", masks), ("--poses", poses), ("--made-poses", made_poses)):
        wrong += unmatched(option, found, made) if found else ()
    if captions and (without := made.keys() - captions):
        wrong.append(f"not in --captions: {listed(without)}")
    if wrong:
        raise Misuse(
            "Expected a counterpart by name for every picture (a.png and a.jpg are counterparts), got "
            f"{'; '.join(wrong)}; add or take out what is listed, or compare whole sets with --unpaired."
        )
    return [
        Pair(
            stem,
            real[stem],
            made[stem],
            masks.get(stem),
            captions.get(stem),
            poses.get(stem),
            made_poses.get(stem),
        )
        for stem in sorted(made)
    ]


def unmatched(option: str, found: Mapping[str, Path], made: Mapping[str, Path]) -> Iterator[str]:
    """What is only in one of two folders, in words."""
    if only := found.keys() - made.keys():
        yield f"only in {option}, not in --made: {listed(only)}"
    if only := made.keys() - found.keys():
        yield f"only in --made, not in {option}: {listed(only)}"


def sets(given: Given) -> list[Pair]:
    """The pictures of both folders as two sets, each picture alone."""
    real, made = both(given)
    return [
        *(Pair(stem, path, None) for stem, path in real.items()),
        *(Pair(stem, None, path) for stem, path in made.items()),
    ]


def read_captions(path: Path) -> dict[str, str]:
    """Captions by stem, of a JSON object, of JSON lines (file_name, text) or of lines name, tab, caption."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"Cannot read the captions in {line(path)}: {line(str(error), 200)}.") from error
    try:
        found = dict(_captions(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise Misuse(
            f"Expected captions in {line(path)} as a JSON object from names to captions, as JSON lines with "
            f"file_name and text, or as lines of name, tab, caption; got: {line(str(error), 200)}."
        ) from error
    return found


def _captions(text: str) -> Iterator[tuple[str, str]]:
    if text.lstrip().startswith("{"):
        try:
            whole = json.loads(text)
        except ValueError:
            whole = None
        if whole is not None and not (whole.keys() & {*NAMES} and whole.keys() & {*TEXTS}):
            for name, caption in whole.items():
                yield _entry(name, caption)
            return
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        if row.lstrip().startswith("{"):
            record = json.loads(row)
            name, caption = (
                next((record[key] for key in keys if key in record), None) for keys in (NAMES, TEXTS)
            )
        else:
            name, _, caption = row.partition("\t")
        if not caption:
            raise ValueError(f"line {number} has no caption")
        yield _entry(name, caption)


def _entry(name: object, caption: object) -> tuple[str, str]:
    if not isinstance(name, str) or not isinstance(caption, str) or not caption.strip():
        raise ValueError(f"{name!r}: {caption!r}")
    ending = Path(name).suffix.lower()
    return (Path(name).stem if ending in pictures.ENDINGS else Path(name).name), caption.strip()


def check_sizes(found: list[Pair], alike: bool) -> None:
    """Misuse unless all are pictures, masks fit theirs and, if they are compared pixel by pixel, both do."""
    wrong = []
    for pair in found:
        sizes = [pictures.size_of(path) for path in (pair.real, pair.made) if path]
        if alike and len(set(sizes)) > 1:
            wrong.append(f"{pair.stem} ({sizes[0]} real, {sizes[1]} made)")
        elif pair.mask and (size := pictures.size_of(pair.mask)) != sizes[-1]:
            wrong.append(f"{pair.stem} (mask {size}, picture {sizes[-1]})")
    if wrong:
        raise Misuse(
            f"Expected each picture, its counterpart and its mask in one size, got {listed(wrong)}; put the "
            "real pictures on the made ones' canvas and scale the masks, or measure fid, kid and clip only."
        )
