"""What is measured on each picture, for which of the command's metrics, and on what the value depends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ... import version
from . import crops, pictures, pixels, poses
from .inputs import Pair
from .networks import Clip, Extractor, Perceptual

HERE = "lab.evaluate.folders"
READING = f"{HERE}.pictures"


class Look:
    """One picture with what belongs to it; each file is decoded once, when it is needed."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair

    @cached_property
    def real(self) -> np.ndarray:
        assert self.pair.real
        return pictures.picture(self.pair.real)

    @cached_property
    def made(self) -> np.ndarray:
        assert self.pair.made
        return pictures.picture(self.pair.made)

    @cached_property
    def mask(self) -> np.ndarray | None:
        return pictures.mask(self.pair.mask) if self.pair.mask else None


class Measure(NamedTuple):
    """One value of each picture: the column it fills, what of the pair it reads, and what it depends on."""

    column: str
    reads: tuple[str, ...]
    version: list[Any]
    look: Callable[[Look], Any]


def code(*modules: str) -> str:
    """The version of the code of modules here."""
    return version.version([READING, *(f"{HERE}.{module}" for module in modules)])


def of_pixels(names: Iterable[str]) -> list[Measure]:
    """Those that compare two pictures pixel by pixel."""
    found, reads, stamp = set(names), ("real", "made", "mask"), code("pixels")
    every = {
        "changed": Measure(
            "changed pixels",
            reads,
            ["changed", stamp],
            lambda one: pixels.changed(one.made, one.real, one.mask),
        ),
        "psnr": Measure(
            "PSNR", reads, ["PSNR", stamp], lambda one: pixels.psnr(one.made, one.real, one.mask)
        ),
        "ssim": Measure(
            "SSIM", reads, ["SSIM", stamp], lambda one: pixels.ssim(one.made, one.real, one.mask)
        ),
        "seam": Measure("seam", reads, ["seam", stamp], _seams),
    }
    return [measure for name, measure in every.items() if name in found]


def _seams(one: Look) -> dict[str, float] | None:
    assert one.mask is not None
    return pixels.seams(one.made, one.real, one.mask)


def of_features(extractor: Extractor, whole: bool, local: bool, both: bool = True) -> list[Measure]:
    """The features of pictures, of whole ones and of the crops around their masks."""
    found, stamp = [], [*extractor.version, code("networks", "crops")]
    for role in ("real", "made") if both else ():
        if whole:
            found.append(_whole(extractor, role, stamp))
        if local:
            found.append(_local(extractor, role, stamp))
    return found


def _whole(extractor: Extractor, role: str, stamp: list[str]) -> Measure:
    return Measure(
        f"features {role}", (role,), [*stamp, "whole"], lambda one: extractor.features(getattr(one, role))
    )


def _local(extractor: Extractor, role: str, stamp: list[str]) -> Measure:
    def look(one: Look) -> np.ndarray | None:
        assert one.mask is not None
        box = crops.box_of(one.mask)
        return None if box is None else extractor.features(crops.cut(getattr(one, role), box))

    return Measure(f"local features {role}", (role, "mask"), [*stamp, "local"], look)


def of_lpips(network: Perceptual) -> Measure:
    """LPIPS of the whole pictures."""
    stamp = [*network.version, code("networks")]
    return Measure("LPIPS", ("real", "made"), stamp, lambda one: network.distance(one.made, one.real))


def of_clip(network: Clip) -> Measure:
    """The CLIP score of made picture and caption."""
    stamp = [*network.version, code("networks")]
    return Measure(
        "CLIP score", ("made", "caption"), stamp, lambda one: network.score(one.made, one.pair.caption or "")
    )


def of_poses(detector: str) -> Measure:
    """PCK and OKS of the pose found in the made picture, by a detector or as its file says."""
    finders: list[poses.Finder] = []

    def found(one: Look) -> list[Any]:
        if one.pair.made_pose:
            return poses.read(one.pair.made_pose, one.made)
        if not finders:
            finders.append(poses.finder(detector))
        return finders[0](one.made)

    def look(one: Look) -> dict[str, Any] | None:
        assert one.pair.pose
        return poses.measured(found(one), poses.read(one.pair.pose, one.made))

    stamp = ["poses", detector, code("poses")]
    return Measure("poses", ("made", "pose", "made_pose"), stamp, look)


def inputs_of(pair: Pair, reads: Iterable[str]) -> dict[str, Path | str | None]:
    """What a measure reads of a pair: files, or the caption itself."""
    return {name: getattr(pair, name) for name in reads}
