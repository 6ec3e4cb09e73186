"""The figures made of the rows: means with intervals, distances of sets, and what to know about them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import bootstrap, set_distances
from ..bootstrap import Statistic
from ..rows import pck
from . import store
from .run import Row

SHARES = (0.05, 0.1)  # of the person's longer side, for PCK
FEW_KERNEL = 50  # pictures below which a kernel distance is mostly chance


class Figure(NamedTuple):
    """One line of the table."""

    name: str
    value: float
    better: str  # lower, higher, zero (nearer 0), or "" where the picture decides
    pictures: int
    low: float | None = None  # of the 95 % interval over pictures
    high: float | None = None
    unit: str = ""


class Figures(NamedTuple):
    """The lines of the table, and sentences on what they leave out or do not say."""

    lines: list[Figure]
    notes: list[str]


def column(rows: Iterable[Row], name: str, part: str = "") -> list[Any]:
    """A column's values, or a part of each, of the pictures that have one."""
    values = [row.values[name] for row in rows if row.values.get(name) is not None]
    return [value[part] for value in values] if part else values


def averaged(
    name: str,
    values: Sequence[float],
    better: str,
    unit: str = "",
    statistic: Statistic = Statistic.MEAN,
) -> list[Figure]:
    """The mean or median of one value per picture with its interval; nothing without a value."""
    if not values:
        return []
    found = bootstrap.interval(values, statistic)
    alone = len(values) < 2
    ends = (None, None) if alone else (found.low, found.high)
    return [Figure(name, found.value, better, len(values), *ends, unit)]


def of_pixels(rows: Sequence[Row]) -> Figures:
    """The figures of pictures compared pixel by pixel."""
    lines, notes = [], []
    if changed := column(rows, "changed pixels"):
        lines.append(Figure("changed pixels, in all", sum(changed), "lower", len(changed)))
        lines.append(Figure("pictures with any", sum(map(bool, changed)), "lower", len(changed)))
    lines += averaged("PSNR", column(rows, "PSNR"), "higher", "dB")
    if same := [row for row in rows if "PSNR" in row.values and row.values["PSNR"] is None]:
        notes.append(f"PSNR leaves out {len(same)} pictures that do not differ outside their masks.")
    lines += averaged("SSIM", column(rows, "SSIM"), "higher")
    seam = "seam"
    lines += averaged("seam ratio, median", column(rows, seam, "seam ratio"), "lower", "", Statistic.MEDIAN)
    lines += averaged("step", column(rows, seam, "step"), "", "ΔE")
    lines += averaged("step beyond the real one", column(rows, seam, "step excess"), "zero", "ΔE")
    lines += averaged("LPIPS (AlexNet)", column(rows, "LPIPS"), "lower")
    lacking = {
        "SSIM": "SSIM leaves out {} pictures without a window of 11 × 11 px outside their masks.",
        "seam": "The seam leaves out {} pictures whose masks have no edge.",
        "LPIPS": "LPIPS leaves out {} pictures of less than 64 px.",
    }
    for name, sentence in lacking.items():
        if count := sum(name in row.values and row.values[name] is None for row in rows):
            notes.append(sentence.format(count))
    return Figures(lines, notes)


def of_words(rows: Sequence[Row], name: str) -> Figures:
    """The CLIP score, named after the model's folder."""
    return Figures(averaged(f"CLIP score ({name})", column(rows, "CLIP score"), "higher"), [])


def of_poses(rows: Sequence[Row], wanted: Iterable[str]) -> Figures:
    """The PCK of each picture's wanted points, and the mean OKS of its people."""
    found = column(rows, "poses")
    if not found:
        return Figures([], ["PCK and OKS leave out all pictures: nobody is in --poses."])
    lines = []
    if "pck" in wanted:
        for share in SHARES:
            lines += averaged(f"PCK@{share}", [pck(one["distances"], share) for one in found], "higher")
    if "oks" in wanted:
        lines += averaged("OKS", [float(np.mean(one["OKS"])) for one in found], "higher")
    people = sum(one["people wanted"] for one in found)
    seen = sum(one["people found"] for one in found)
    return Figures(lines, [f"Poses: {people} people wanted, {seen} found in the made pictures."])


def of_sets(
    rows: Sequence[Row],
    wanted: Iterable[str],
    inception: bool,
    kept: store.Store,
    tell: Callable[[str], None],
) -> Figures:
    """The distances between the sets of real and made pictures, and between their crops around the masks."""
    chosen, lines, notes = set(wanted), [], []
    for prefix, place in (("", ""), ("local-", "local ")):
        names = [name for name in ("fid", "kid") if prefix + name in chosen]
        real, made = (column(rows, f"{place}features {role}") for role in ("real", "made"))
        least = min(len(real), len(made))
        if empty := sum(row.values.get(f"{place}features made", 0) is None for row in rows):
            notes.append(f"The local crops leave out {empty} pictures whose masks are empty.")
        labels = {name: label(name, place, inception) for name in names}
        if names and least < 2:
            notes.append(
                f"{' and '.join(labels.values())} need two pictures of each kind, got {least}; add pictures."
            )
            continue
        for name in names:
            tell(f"working out {labels[name]}")
            lines.append(Figure(labels[name], distance(name, real, made, kept), "lower", least))
    return Figures(lines, [*notes, *few(lines)])


def label(name: str, place: str, inception: bool) -> str:
    """What a distance is called: with the evaluator's features it is no FID and no KID."""
    if inception:
        return f"{'Local ' if place else ''}{name.upper()}"
    kind = "Fréchet" if name == "fid" else "kernel"
    return f"{place}{kind} distance of the evaluator's features"


def distance(name: str, real: Sequence[np.ndarray], made: Sequence[np.ndarray], kept: store.Store) -> float:
    """The distance, which takes a minute for Inception's features, or what an earlier run kept."""
    sets = [hashlib.sha256(np.stack(each).tobytes()).hexdigest() for each in (real, made)]
    key = store.key_of(name, [set_distances.SUBSETS, set_distances.LARGEST], sets)
    found = kept.get(key)
    if found is store.MISSING:
        found = (set_distances.frechet if name == "fid" else set_distances.kernel)(real, made)
        kept.put(key, found)
    return found


def few(lines: Sequence[Figure]) -> list[str]:
    """What to say of distances of too few pictures."""
    small = [each.name for each in lines if is_frechet(each.name) and each.pictures < set_distances.FEW]
    tiny = [each.name for each in lines if not is_frechet(each.name) and each.pictures < FEW_KERNEL]
    notes = []
    if small:
        notes.append(
            f"{' and '.join(small)}: with fewer than {set_distances.FEW} pictures it says little, for it "
            "falls as pictures are added; compare it at equal numbers only, or take kid."
        )
    if tiny:
        notes.append(
            f"{' and '.join(tiny)}: with fewer than {FEW_KERNEL} pictures it is mostly chance; take more."
        )
    return notes


def is_frechet(name: str) -> bool:
    """Whether a figure is one of the Fréchet distances."""
    return "FID" in name or "Fréchet" in name
