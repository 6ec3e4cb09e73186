"""`bench regions`: the memory of many patches in a large picture; writes its part of docs/performance.md."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from ...places import ROOT
from ...setup.environment import Environment
from ..sections import replace_part
from .memory import peak_megabytes

REPORT = ROOT / "docs" / "performance.md"
HEADING = "## Many regions in one picture"
SIDES = (4096, 8192)
CASES = [(16, 512, 512), (16, 1024, 1024), (9, 2048, 1024)]  # patches, box's side, side it is brought to
TIMES, MORE = 3, 64  # at most so many times the largest region, and so many MB
MEGABYTE = 1 << 20


def patches(torch: Any, side: int, count: int, box: int, working: int) -> dict[str, Any]:
    """Patches in a grid as Stitch Back takes them, each repainting the middle of its crop."""
    crop = importlib.import_module("recompose.core.canvas.crop")
    shapes = importlib.import_module("recompose.core.shapes")
    bridge = importlib.import_module("recompose.bridge.stitch")
    across, found = round(count**0.5), {}
    for number in range(count):
        x, y = ((side - box) * place // (across - 1) for place in (number % across, number // across))
        context = crop.Context(
            shapes.Size(side, side), shapes.Box(x, y, box, box), shapes.Size(working, working)
        )
        generated = torch.full((1, working, working, 3), number / count)
        mask = torch.zeros(1, working, working)
        mask[:, working // 8 : -working // 8, working // 8 : -working // 8] = 1
        found[f"patch{number}"] = bridge.patch(generated, mask, context)
    return found


def megabytes(stitch: Any, torch: Any, side: int, count: int, box: int, working: int) -> float:
    """How much memory Stitch Back takes at most beyond its inputs and the one picture it makes."""
    original = torch.full((1, side, side, 3), 0.5)
    given = patches(torch, side, count, box, working)
    peak = peak_megabytes(lambda: stitch(original=original, mode={"mode": "strict"}, patches=given))
    return peak - original.numel() * 4 / MEGABYTE


def limit(working: int) -> float:
    """What may be taken: TIMES the picture of a region at its working size, and MORE."""
    return TIMES * working**2 * 3 * 4 / MEGABYTE + MORE


def table(stitch: Any, torch: Any) -> str:
    """The report's part, with whether the aim was reached."""
    lines, missed = [], []
    megabytes(stitch, torch, 1024, 4, 512, 512)  # warm up
    for side in SIDES:
        for case in CASES:
            count, box, working = case
            found, allowed = megabytes(stitch, torch, side, *case), limit(working)
            cells = [f"{side}²", count, f"{box}²", f"{working}²", f"{found:.0f}", f"{allowed:.0f}"]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
            print(lines[-1], flush=True)
            if found > allowed:
                missed.append(f"- {side}², {box}² px at {working}²: {found:.0f} MB (wanted ≤ {allowed:.0f})")
    text = (
        f"{HEADING}\n\nThe most resident memory that Stitch Back takes for its patches, beyond its inputs "
        f"and the one picture it makes. Aim: at most {TIMES} times the largest region's picture at its "
        f"working size and {MORE} MB. What the process kept from earlier rows is not counted again, so later "
        "rows can be too low. Measured by `python3 cli bench regions`.\n\n"
    )
    text += ("\n".join(missed) if missed else "The aim was reached everywhere.") + "\n\n"
    head = "| picture | patches | box in it | working size | MB | at most |"
    return text + "\n".join([head, "|---" * 6 + "|", *lines]) + "\n"


def main(arguments: list[str], environment: Environment) -> int:
    """Measure and replace this part of the report; there are no options."""
    argparse.ArgumentParser(prog="cli bench regions", description=__doc__).parse_args(arguments)
    from ...toy.models import host

    host.make_importable(environment.comfyui)
    torch = importlib.import_module("torch")
    stitch = importlib.import_module("recompose.nodes.canvas").StitchBack.execute
    with torch.inference_mode():
        part = table(stitch, torch)
    replace_part(REPORT, HEADING, part)
    print(part)
    return 0
