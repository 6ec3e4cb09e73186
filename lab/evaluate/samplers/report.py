"""The contest's page: docs/samplers.md, with curves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..tables import table
from .run import OURS, SCALES
from .sweep import BUDGETS, COUNT, GRIDS, SEED

COLOURS = (
    "#0072b2", "#999999", "#56b4e9", "#cc79a7", "#8c510a", "#dfc27d", "#e69f00", "#009e73", "#d55e00",
)  # fmt: skip
SOLVED = 1e-3
WIDTH, HEIGHT, MARGIN = 300, 230, 44
PATHS = ("eps", "flow")
# Of ours: at 20 calls on A, B, C; at 50 calls under guidance and where known numbers are shown clean.
FEW, GUIDED, CLEAN = {"A": 0.01, "B": 0.05, "C": 0.01}, 0.01, 0.005
LOWEST, HIGHEST = 1e-5, 22  # of the curves: a divergence, a percentage

Row = dict[str, Any]
Rows = list[Row]


def joined(head: list[str], rows: list[list[str]]) -> str:
    """A table as text."""
    return "\n".join(table(head, rows)[1:])


def told(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def least(rows: Rows, path: str, calls: int, problem: str) -> float:
    """The best of the others."""
    return min(row[path]["kl"][problem] for row in rows if row["calls"] == calls and row["method"] != OURS)


def divergences(rows: Rows, path: str) -> str:
    """KL on A, B, C by method and budget; bold where ours has at most half of the best other's."""
    found = []
    for name in GRIDS:
        for row in (row for row in rows if row["method"] == name):
            cells = []
            for problem, value in row[path]["kl"].items():
                wins = name == OURS and (
                    value <= least(rows, path, row["calls"], problem) / 2 or value < SOLVED
                )
                cells.append(f"**{value:.5f}**" if wins else f"{value:.5f}")
            found.append([name, str(row["calls"]), *cells, told(row["settings"])])
    return joined(["method", "calls", "A", "B", "C", "settings chosen"], found)


def numbers(kl: dict[str, float]) -> list[str]:
    return [f"{value:.5f}" for value in kl.values()]


def ordered(rows: Rows) -> Rows:
    """The rows method by method."""
    return sorted(rows, key=lambda row: list(GRIDS).index(row["method"]))


def guidance(rows: Rows, path: str) -> str:
    """KL under guidance by method and budget."""
    found = [
        [
            row["method"],
            str(row["calls"]),
            *(each for cfg in row[path]["guided"].values() for each in numbers(cfg)),
        ]
        for row in ordered(rows)
    ]
    heads = [f"{problem}, cfg {cfg:g}" for cfg in SCALES for problem in "ABC"]
    return joined(["method", "calls", *heads], found)


def clean(rows: Rows) -> str:
    """KL with a model that is shown known numbers clean, by method and budget."""
    found = [
        [row["method"], str(row["calls"]), *(each for path in PATHS for each in numbers(row[path]["clean"]))]
        for row in ordered(rows)
    ]
    return joined(["method", "calls", *(f"{each}, {path}" for path in PATHS for each in "ABC")], found)


def judges(rows: Rows) -> str:
    """KL of ours under guidance by what judges."""
    found = [
        [judge, path, str(row["calls"]), *(each for cfg in scales.values() for each in numbers(cfg))]
        for path in PATHS
        for row in rows
        if row["method"] == OURS
        for judge, scales in row[path]["judged"].items()
    ]
    heads = [f"{problem}, cfg {cfg:g}" for cfg in SCALES for problem in "ABC"]
    return joined(["judged by", "model", "calls", *heads], found)


def two_modes(rows: Rows) -> str:
    found = [
        [row["method"], str(row["calls"]), *(f"{100 * off:+.1f}" for off in row[path]["modes"]), path]
        for path in ("eps", "flow")
        for row in rows
    ]
    return joined(["method", "calls", "first", "second", "third", "model"], found)


def pictures(rows: Rows) -> str:
    found = []
    for row in (row for row in rows if "pictures" in row["eps"]):
        cells = [
            f"{each['sliced']:.4f} · {each['mean']:.4f} · {each['covariance']:.4f}"
            for each in row["eps"]["pictures"].values()
        ]
        found.append([row["method"], str(row["calls"]), *cells])
    return joined(["method", "calls", *rows[0]["eps"]["pictures"]], found)


@dataclass(frozen=True)
class Axis:
    """Which share of a panel's height a value has, and what is written beside it."""

    share: Callable[[float], float]
    ticks: dict[float, str]


DIVERGENCE = Axis(
    lambda value: math.log(max(value, LOWEST) / LOWEST) / math.log(10 / LOWEST),
    {10.0**power: f"1e{power}" for power in range(-5, 2)},
)
PERCENT = Axis(
    lambda value: min(value, HIGHEST) / HIGHEST, {value: f"{value:g} %" for value in (0.0, 3.0, 10.0, 20.0)}
)


class Panel:
    """Where calls and values lie in one of a drawing's three parts."""

    def __init__(self, index: int, axis: Axis) -> None:
        self.left, self.right = index * WIDTH + MARGIN, (index + 1) * WIDTH - 10
        self.top, self.bottom, self.axis = 24, HEIGHT - 24, axis

    def x(self, calls: float) -> float:
        share = math.log(calls / BUDGETS[0]) / math.log(BUDGETS[-1] / BUDGETS[0])
        return self.left + share * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - self.axis.share(value) * (self.bottom - self.top)

    def frame(self, title: str) -> list[str]:
        """Title, grid and numbers."""
        middle = (self.left + self.right) / 2
        parts = [f'<text x="{middle}" y="14" text-anchor="middle">{title}</text>']
        for value, label in self.axis.ticks.items():
            y = self.y(value)
            parts.append(f'<path d="M{self.left} {y:.1f}H{self.right}" stroke="#ddd"/>')
            parts.append(f'<text x="{self.left - 4}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
        for calls in BUDGETS:
            where = f'x="{self.x(calls):.1f}" y="{self.bottom + 14}"'
            parts.append(f'<text {where} text-anchor="middle">{calls}</text>')
        return parts


def drawing(rows: Rows, axis: Axis, titles: list[str], take: Callable[[Row, int], float]) -> str:
    """The values that `take` gives of a row for each panel, against calls, a line a method, as SVG."""
    size = 3 * WIDTH, HEIGHT + 104
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{size[0]}" height="{size[1]}" fill="white"/>',
    ]
    for index, title in enumerate(titles):
        panel = Panel(index, axis)
        parts += panel.frame(title)
        for name, colour in zip(GRIDS, COLOURS, strict=True):
            points = [
                f"{panel.x(row['calls']):.1f},{panel.y(take(row, index)):.1f}"
                for row in rows
                if row["method"] == name
            ]
            line = f'fill="none" stroke="{colour}" stroke-width="{3 if name == OURS else 1.5}"'
            parts.append(f'<polyline points="{" ".join(points)}" {line}/>')
    for index, (name, colour) in enumerate(zip(GRIDS, COLOURS, strict=True)):
        x, y = MARGIN + (index % 3) * 285, HEIGHT + 16 + 24 * (index // 3)
        parts.append(f'<rect x="{x}" y="{y - 9}" width="18" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 24}" y="{y - 3}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def divergence_curves(rows: Rows) -> str:
    """KL against calls on A, B and C, eps."""
    titles = [f"KL on {problem}" for problem in "ABC"]
    return drawing(rows, DIVERGENCE, titles, lambda row, index: row["eps"]["kl"]["ABC"[index]])


def mode_curves(rows: Rows) -> str:
    """How far the weights of two modes are off, in percent, against calls, eps."""
    titles = [f"{which} weight, % off" for which in ("first", "second", "third")]
    return drawing(rows, PERCENT, titles, lambda row, index: 100 * abs(row["eps"]["modes"][index]))


CURVES = {"samplers.svg": divergence_curves, "samplers_modes.svg": mode_curves}  # in docs/pictures


def divergence_aims(rows: Rows, path: str, ours: dict[int, Any]) -> list[list[str]]:
    found = []
    for calls in BUDGETS:
        for problem in "ABC":
            value, other = ours[calls][path]["kl"][problem], least(rows, path, calls, problem)
            few = calls <= 100
            held = value <= (other / 2 if few else other) or value < SOLVED
            text = "half of the best other" if few else "no worse than the best other"
            aim = f"{problem}, {path}, {calls} calls: {text}, or below {SOLVED:g}"
            found.append([aim, f"{value:.5f} beside {other:.5f}", mark(held)])
    return found


def further_aims(path: str, ours: dict[int, Any]) -> list[list[str]]:
    """Few calls, guidance, and known numbers shown clean."""
    few, row = ours[BUDGETS[0]][path]["kl"], ours[50][path]
    found = [(f"{each}, {path}, {BUDGETS[0]} calls", few[each], most) for each, most in FEW.items()]
    for cfg, kl in row["guided"].items():
        found.append((f"A, B and C, {path}, 50 calls, cfg {cfg}", max(kl.values()), GUIDED))
    found.append((f"A, B and C, {path}, 50 calls, known cells clean", max(row["clean"].values()), CLEAN))
    return [[f"{what}: at most {most:g}", f"{off:.5f}", mark(off <= most)] for what, off, most in found]


def aims(rows: Rows) -> str:
    """The aims, each with what was found."""
    ours, found = {row["calls"]: row for row in rows if row["method"] == OURS}, []
    for path in PATHS:
        found += divergence_aims(rows, path, ours) + further_aims(path, ours)
        for calls in BUDGETS:
            worst = max(map(abs, ours[calls][path]["modes"]))
            aim = f"weights of two modes, {path}, {calls} calls: within 3 %"
            found.append([aim, f"{100 * worst:.1f} %", mark(worst <= 0.03)])
            if "pictures" not in ours[calls][path]:
                continue
            others = [row for row in rows if row["calls"] == calls and row["method"] != OURS]
            wins = sum(
                measured["sliced"] <= min(row[path]["pictures"][name]["sliced"] for row in others)
                for name, measured in ours[calls][path]["pictures"].items()
            )
            aim = f"lowest sliced W2, {path}, {calls} calls: on 3 of 4 masks"
            found.append([aim, f"{wins} of 4", mark(wins >= 3)])
    return joined(["aim", "found", ""], found)


def mark(held: bool) -> str:
    return "reached" if held else "missed"


def grids() -> str:
    """What was swept for each method, a line each."""
    found = []
    for name, axes in GRIDS.items():
        swept = "; ".join(f"{axis} {', '.join(map(str, values))}" for axis, values in axes.items())
        found.append(f"- {name}: {swept}")
    return "\n".join(found)


def page(rows: Rows, text: str) -> str:
    """The whole page: the text kept by hand and, between its marks, what was measured."""
    measured = "\n\n".join(
        [
            f"All settings were chosen by the geometric mean of the KL divergences on {COUNT} random "
            f"Gaussian problems\n(seed {SEED}), at each budget on these grids and beyond where the "
            "best lies on an edge; outer steps are as many as\nthe budget pays for. Above 50 calls those of "
            "LanPaint go on from the best at the budget before, by moves of one axis.\nOurs has one default.",
            grids(),
            "![KL divergence against model calls](pictures/samplers.svg)",
            "### Aims",
            aims(rows),
            "### KL divergence, eps and v models",
            divergences(rows, "eps"),
            "### KL divergence, flow models",
            divergences(rows, "flow"),
            "### KL divergence under guidance, eps and v models",
            guidance(rows, "eps"),
            "### KL divergence under guidance, flow models",
            guidance(rows, "flow"),
            "### Lagrange under guidance, by what judges",
            judges(rows),
            "### KL divergence with models that are shown known cells clean",
            clean(rows),
            "### Two modes: found minus true weight in percent",
            "![How far the weights of two modes are off, against model calls](pictures/samplers_modes.svg)",
            two_modes(rows),
            "### Pictures of 8×8 numbers: sliced W2 · error of the mean · error of the covariance, eps",
            pictures(rows),
        ]
    )
    begin, end = "<!-- measured -->", "<!-- end of measured -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{measured}\n\n{end}{rest.split(end)[1]}"


def write(rows: Rows, docs: Path) -> None:
    """Write the page and its curves."""
    for name, draw in CURVES.items():
        (docs / "pictures" / name).write_text(draw(rows))
    path = docs / "samplers.md"
    path.write_text(page(rows, path.read_text()))
