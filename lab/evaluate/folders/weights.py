"""Weights of published networks in local files: their names, sources and checksums. Nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ....cli.ending import Misuse
from ....cli.words import line
from .store import content


class Published(NamedTuple):
    """A file of weights: what it is for, the names it goes by, where it is from, SHA-256 and megabytes."""

    purpose: str
    names: tuple[str, ...]
    source: str
    sha256: str
    megabytes: int


INCEPTION = Published(
    "FID and KID",
    ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth"),
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    96,
)
ALEXNET = Published(
    "LPIPS",
    ("alexnet-owt-7be5be79.pth",),
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    244,
)
# CLIP is a folder as transformers writes it; the checksum is that of the file that holds its weights.
CLIPS = (
    Published(
        "the CLIP score",
        ("clip-vit-large-patch14", "model.safetensors"),
        "https://huggingface.co/openai/clip-vit-large-patch14",
        "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb",
        1711,
    ),
    Published(
        "the CLIP score",
        ("clip-vit-base-patch32", "pytorch_model.bin"),
        "https://huggingface.co/openai/clip-vit-base-patch32",
        "a63082132ba4f97a80bea76823f544493bffa8082296d62d71581a4feff1576f",
        605,
    ),
)
CLIP_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
CLIP_FILES = ("config.json", "preprocessor_config.json")


class Weights(NamedTuple):
    """A file or folder that was found, what is said of it, and the SHA-256 of the weights."""

    path: Path
    name: str
    sha256: str


def missing(published: Published, folder: Path) -> str:
    """The sentence on weights that are not there."""
    return (
        f"Expected {published.names[0]} in {line(folder)} for {published.purpose}, got none; download it "
        f"from {published.source} ({published.megabytes} MB, SHA-256 {published.sha256}) and put it there."
    )


def file_of(published: Published, folders: Sequence[Path]) -> Weights:
    """The file in the first folder that has it; Misuse where it is missing or another file."""
    for path in (folder / name for folder in folders for name in published.names):
        if path.is_file():
            found = content(path)
            if found != published.sha256:
                raise Misuse(
                    f"Expected {line(path)} with SHA-256 {published.sha256}, got {found}; download it again "
                    f"from {published.source}."
                )
            return Weights(path, path.name, found)
    raise Misuse(missing(published, folders[0]))


def clip_of(chosen: Path | None, folders: Sequence[Path]) -> Weights:
    """CLIP's folder: the chosen one, which may hold any CLIP, or a published one; Misuse for none."""
    places = [chosen] if chosen else [folder / each.names[0] for folder in folders for each in CLIPS]
    for place in places:
        if place.is_dir():
            return _clip(place)
    if chosen:
        raise Misuse(f"Expected a folder with a CLIP model after --clip, got {line(chosen)}; name one.")
    raise Misuse(
        f"Expected the folder {CLIPS[0].names[0]} or {CLIPS[1].names[0]} in {line(folders[0])} for the CLIP "
        f"score, got none; download all files of {CLIPS[0].source} or {CLIPS[1].source} into it."
    )


def _clip(place: Path) -> Weights:
    absent = [name for name in CLIP_FILES if not (place / name).is_file()]
    weights = next((place / name for name in CLIP_WEIGHTS if (place / name).is_file()), None)
    if absent or weights is None:
        raise Misuse(
            f"Expected {', '.join(CLIP_FILES)} and {' or '.join(CLIP_WEIGHTS)} in {line(place)}, got no "
            f"{', no '.join(absent or CLIP_WEIGHTS[:1])}; download all files of the model into the folder."
        )
    found = content(weights)
    for published in CLIPS:
        folder, name = published.names
        if place.name == folder and weights.name == name and found != published.sha256:
            raise Misuse(
                f"Expected {line(weights)} with SHA-256 {published.sha256}, got {found}; download it again "
                f"from {published.source}."
            )
    return Weights(place, place.name, found)
