"""What a call of the command measures, with which networks, and what comes of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ....cli.ending import Misuse
from ....cli.words import line
from .. import set_distances
from . import figures, inputs, measures, pictures, poses, weights
from .figures import Figures
from .inputs import Given, Pair
from .measures import Measure
from .metrics import BY_LIBRARY, METRICS, SETS
from .networks import Clip, Evaluator, Extractor, Inception, Perceptual
from .run import Row, Runner


class Wanted(NamedTuple):
    """The metrics that are measured, whether they were asked for by name, and what was left out and why."""

    names: list[str]
    named: bool
    notes: list[str]


class Networks(NamedTuple):
    """The networks that the metrics need, and how the weights are called, with their SHA-256."""

    extractor: Extractor | None
    perceptual: Perceptual | None
    clip: Clip | None
    weights: dict[str, str]


class Outcome(NamedTuple):
    rows: list[Row]
    figures: Figures
    settings: dict[str, Any]


def wanted(asked: Sequence[str], given: Given, unpaired: bool) -> Wanted:
    """The metrics asked for, or else all that what is given allows; Misuse for what cannot be measured."""
    if unknown := [name for name in asked if name not in METRICS]:
        raise Misuse(f"Expected metrics out of {', '.join(METRICS)}, got {line(', '.join(unknown))}.")
    if unpaired and (single := [name for name in asked if not METRICS[name].sets]):
        raise Misuse(
            f"Expected fid and kid alone with --unpaired, got {', '.join(single)}; leave either out."
        )
    chosen, notes, lacking = [], [], {}
    for name, metric in METRICS.items():
        if (asked and name not in asked) or (unpaired and not metric.sets):
            continue
        absent = [need for need in metric.needs if getattr(given, need) is None]
        if name in BY_LIBRARY and set_distances.lacking(name):
            absent.append("library")
        for need in absent[:1]:
            lacking.setdefault(need, []).append(name)
        if not absent:
            chosen.append(name)
    for need, names in lacking.items():
        if need == "library":
            told = set_distances.lacking(", ".join(names))
        else:
            told = f"Expected --{need} for {', '.join(names)}, got none; give it or leave them out."
        if asked:
            raise Misuse(told)
        notes.append(told.replace("; give it or leave them out", "") if need != "library" else told)
    if not chosen:
        raise Misuse(notes[0])
    return Wanted(chosen, bool(asked), notes)


def device_of(name: str) -> torch.device:
    """The device of that name, for "auto" a graphics card where there is one; Misuse for no device."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        why = line(str(error), 120)
        raise Misuse(
            f"Expected a device that torch has, got {line(name)} ({why}); leave --device out."
        ) from error
    return device


def optional(what: Wanted, name: str, load: Callable[[], Any]) -> Any:
    """What `load` gives; without its weights None and a note, or the error if the metric was named."""
    if name not in what.names:
        return None
    try:
        return load()
    except Misuse as error:
        if what.named:
            raise
        what.names.remove(name)
        what.notes.append(str(error))
        return None


def networks(
    what: Wanted, features: str, folders: list[Path], clip: Path | None, device: torch.device
) -> Networks:
    """Load what the metrics need; Misuse where weights are missing that were asked for."""
    found: dict[str, str] = {}

    def named(weight: weights.Weights) -> weights.Weights:
        found[weight.name] = weight.sha256
        return weight

    perceptual = optional(
        what, "lpips", lambda: Perceptual(named(weights.file_of(weights.ALEXNET, folders)), device)
    )
    clipper = optional(what, "clip", lambda: Clip(named(weights.clip_of(clip, folders)), device))
    return Networks(extractor(what, features, folders, named, device), perceptual, clipper, found)


def extractor(
    what: Wanted,
    features: str,
    folders: list[Path],
    named: Callable[[weights.Weights], weights.Weights],
    device: torch.device,
) -> Extractor | None:
    """Inception where its file is there, else our evaluator and a note; None where no metric needs one."""
    if not set(what.names) & set(SETS):
        return None
    if features != "evaluator":
        try:
            if importlib.util.find_spec("torch_fidelity") is None:
                raise Misuse(
                    "Expected the library torch-fidelity for FID, got none; install it with `python -m pip "
                    "install torch-fidelity`."
                )
            return Inception(named(weights.file_of(weights.INCEPTION, folders)), device)
        except Misuse as error:
            if features == "Inception":
                raise
            what.notes.append(
                f"{error} Without it the sets are compared by the features of the drawn world's evaluator, "
                "which is no FID that others could be compared with."
            )
    return Evaluator()


def measures_of(what: Wanted, nets: Networks, detector: str) -> list[Measure]:
    """What has to be measured on each picture."""
    names = set(what.names)
    found = measures.of_pixels(names)
    if nets.perceptual:
        found.append(measures.of_lpips(nets.perceptual))
    if nets.clip:
        found.append(measures.of_clip(nets.clip))
    if nets.extractor:
        whole, local = bool(names & {"fid", "kid"}), bool(names & {"local-fid", "local-kid"})
        found += measures.of_features(nets.extractor, whole, local)
    return [*found, measures.of_poses(detector)] if names & {"pck", "oks"} else found


def measured(
    pairs: list[Pair], what: Wanted, nets: Networks, detector: str, out: Path, tell: Callable[[str], None]
) -> tuple[list[Row], Figures]:
    """The rows and figures of all pictures."""
    alike = any(METRICS[name].alike for name in what.names)
    inputs.check_sizes(pairs, alike)
    poses.check(pairs)
    runner = Runner(out, measures_of(what, nets, detector))
    try:
        rows, changed = runner.run(pairs)
        if changed:
            tell(
                f"measured anew, for they changed since the last run in this folder: {inputs.listed(changed)}"
            )
        parts = [figures.of_pixels(rows)]
        if nets.extractor:
            inception = isinstance(nets.extractor, Inception)
            parts.append(figures.of_sets(rows, what.names, inception, runner.kept, tell))
        if nets.clip:
            parts.append(figures.of_words(rows, nets.clip.name))
        if set(what.names) & {"pck", "oks"}:
            parts.append(figures.of_poses(rows, what.names))
    finally:
        runner.kept.close()
    lines = [figure for part in parts for figure in part.lines]
    notes = [note for part in parts for note in part.notes]
    return rows, Figures(lines, [*notes, *transparent(pairs), *what.notes])


def transparent(pairs: Sequence[Pair]) -> list[str]:
    """A note on pictures whose transparency was ignored."""
    found = [
        pair.stem
        for pair in pairs
        if any(pictures.is_transparent(path) for path in (pair.real, pair.made) if path)
    ]
    if not found:
        return []
    return [f"Transparency is ignored, as by Load Image, in {len(found)} pictures: {inputs.listed(found)}."]


def settings(given: Any, what: Wanted, nets: Networks) -> dict[str, Any]:
    """What was compared and how, for the JSON file; `given` are the command's options."""
    paths = ("real", "made", "masks", "captions", "poses", "made_poses")
    found: dict[str, Any] = {name: str(value) for name in paths if (value := getattr(given, name))}
    found |= {"metrics": what.names, "weights": nets.weights}
    if nets.extractor:
        found["features"] = nets.extractor.name
    if set(what.names) & {"pck", "oks"}:
        found["detector"] = "files" if given.made_poses else given.detector
    return found
