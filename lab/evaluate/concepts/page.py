"""docs/concepts.md: the new things and their marks, each way to teach them, and two at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...toy import things
from ..rows import Figures
from ..tables import table
from . import figures as sums
from .intervals import nested
from .plan import (
    BASE,
    BATCH,
    CAPTIONS,
    CUSTOM,
    JOINT,
    KNOWN,
    LESSONS,
    OTHERS,
    PROMPTS,
    ROUND_TRIP,
    TRUE,
    WHOLE,
)
from .stage import CFG, SAMPLER, SIDE, STEPS

INTRODUCTION = f"""# Concepts, measured

Written by `python3 cli figures concepts` with the demo models; raw rows: `lab/results/models/concepts.json`.
Drawn things that no training has seen are taught to the demo model by the code of Train Concept, from
{LESSONS} pictures each with captions: {SIDE} px, batch {BATCH}, one thread, without masks, augmentation and
class pictures. {PROMPTS} captions of further drawn pictures ask for each thing in other scenes, with other
people and objects ({SAMPLER}, {STEPS} steps, guidance {CFG:g}). Values are means with 95 % bootstrap
intervals over things, then over the pictures of each.

- **Likeness**: how likely a picture shows the thing, by a small network trained on true pictures of all of
  these things, half of them through the autoencoder, beside the same shapes in other colours and what the
  world knows of their class.
- **Feature similarity**: the mean cosine of the evaluator's features with those of the {LESSONS} pictures.
- **Text alignment**: the share right of the rest of the caption, the scene, colours of hair and clothes and
  other objects with their colours, as the evaluator sees them.
- **Other classes**: the same of {OTHERS} captions of other classes, after the training less before.
- **{WHOLE}** trains all weights of the UNet and the word. **{BASE}** has the class in the new word's place.
"""
UNITS = {"contrast": "contrast kept", "psnr": "PSNR, dB"}


def page(figures: Figures) -> str:
    """The whole page."""
    rows = [row for row in figures.rows if row.get("kind") != "training"]
    costs = [row for row in figures.rows if row.get("kind") == "training"]
    lines = [INTRODUCTION, *scope(figures.summary["plan"])]
    lines += ["## The things", "", *limits(rows), "", *settings(rows, figures.summary)]
    lines += ["", "## One thing", *one(figures.summary), "", "Differences:", *differences(figures.summary)]
    lines += ["", "## Two at once", "", *two(figures.summary)]
    lines += ["", "## Aims", "", *aims(rows, costs), ""]
    return "\n".join(lines)


def scope(plan: dict[str, Any]) -> list[str]:
    """A sentence on how much was done where it is not all."""
    if not plan["trial"]:
        return []
    return [
        f"**This is a trial** with {plan['things']} of {len(things.THINGS)} things, {plan['pairs']} of "
        f"{len(things.PAIRS)} pairs and at most {plan['steps']} steps. It shows that every row and column "
        "works and is no result.",
        "",
    ]


def limits(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What the autoencoder leaves of each thing, and what is read in true pictures of it."""
    body = []
    for name in dict.fromkeys(row["thing"] for row in rows if row["run"] == "marks"):
        some = [row for row in rows if row["thing"] == name]
        cells = [cell(some, "marks", column) for column in UNITS]
        cells += [cell(some, run, column) for run in (TRUE, ROUND_TRIP) for column in ("likeness", "text")]
        body.append([name, *cells])
    head = ["thing", *UNITS.values(), "likeness, true", "text, true", "likeness, VAE", "text, VAE"]
    text = (
        "What limits all rows: the contrast of the colours of a thing's marks after the autoencoder, in "
        "shares of that before, the least of all pairs of marks; PSNR within the thing; and what is read in "
        "true pictures, as they are and through the autoencoder."
    )
    return [text, *table(head, body)]


def cell(rows: Sequence[dict[str, Any]], run: str, column: str) -> str:
    """The mean of a thing's values."""
    found = sums.values(rows, run, column)
    return f"{nested(found).value:.2f}" if found else "–"


def settings(rows: Sequence[dict[str, Any]], summary: dict[str, Any]) -> list[str]:
    """The rates and steps tried on the further things."""
    body = []
    tried = [row for row in rows if row["run"] == "tried"]
    for key in dict.fromkeys((row["row"], row["rate"], row["steps"]) for row in tried):
        some = [row for row in tried if (row["row"], row["rate"], row["steps"]) == key]
        cells = [f"{nested([row[column] for row in some]).value:.2f}" for column in ("likeness", "text")]
        chosen = summary[f"chosen, {key[0]}"] == f"rate {key[1]:g}, {key[2]} steps"
        body.append([key[0], f"{key[1]:g}", key[2], *cells, "chosen" if chosen else ""])
    names = " and ".join(dict.fromkeys(row["thing"] for row in tried))
    text = f"Rates and steps, tried on further things ({names}); the sum of both columns decides."
    return [text, *table(["trained", "rate", "steps", "likeness", "text alignment", ""], body)]


def one(summary: dict[str, Any]) -> list[str]:
    """The table of single things."""
    head = ["row", "likeness", "feature similarity", "text alignment", "other classes", "seconds", "kB"]
    body = []
    for run in (TRUE, ROUND_TRIP, BASE, *sums.TAUGHT):
        cells = [summary[f"{run}: {column}"] for column in sums.COLUMNS]
        rest = ("other classes, after − before", "seconds", "kB")
        body.append([run, *cells, *(summary.get(f"{run}: {name}", "–") for name in rest)])
    return table(head, body)


def differences(summary: dict[str, Any]) -> list[str]:
    body = [
        [f"{first} − {second}", column, summary[f"{first} − {second}: {column}"]]
        for first, second, column in sums.DIFFERENCES
    ]
    return table(["rows", "column", "difference"], body)


def two(summary: dict[str, Any]) -> list[str]:
    """The table of pairs."""
    text = (
        f"An object and what a person beside it wears or is, both by {CUSTOM}. Merged: in closed form, with "
        f"{CAPTIONS} captions of the world. Chained: two loaders. Together: one training of both, {JOINT:g} "
        f"times the steps. *{KNOWN[0].upper()}{KNOWN[1:]}*: the same captions with things and colours of the "
        "world, as the evaluator sees them. A thing is right when its likeness is at least one half."
    )
    body = []
    for run in (TRUE, KNOWN, *sums.WAYS):
        cells = [summary[f"two, {run}: {column}"] for column in ("both", "text")]
        body.append([run, *cells, summary.get(f"two, {run}: both, share of {KNOWN}", "–")])
    key = next(name for name in summary if name.startswith("two, ") and " − " in name)
    head = ["row", "both right", "text alignment", f"share of {KNOWN}"]
    return [text, *table(head, body), "", f"{key.removeprefix('two, ')}: {summary[key]}."]


def aims(rows: Sequence[dict[str, Any]], costs: Sequence[dict[str, Any]]) -> list[str]:
    """Each aim and whether it is reached."""
    hours = sum(row["seconds"] for row in costs) / 3600
    found = [
        f"- {name}: {'reached' if good else 'not reached'}"
        for name, good in sums.reached(rows, costs).items()
    ]
    return [*found, "", f"All {len(costs)} trainings took {hours:.2f} hours of one core."]
