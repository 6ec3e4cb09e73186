"""`bench nodes`: time the nodes beside ComfyUI's own in one process and write docs/performance.md."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ...places import ROOT
from ...setup.environment import Environment
from ..sections import part_of
from . import editor, regions, sampling, startup
from .memory import peak_megabytes

REPORT = ROOT / "docs" / "performance.md"
RUNS, SLOW_RUNS = 7, 2
# What is added around the square test pictures: left, top, right, bottom.
SIDES = {"mode": "sides", "left": 64, "top": 0, "right": 64, "bottom": 256}
FEATHER, GROW, MASK_SIDE, LARGEST = 40, 128, 2048, 4096
FILLS = ("color", "edge", "mirror", "smooth", "noise")


@dataclass
class Timing:
    """Seconds of several runs of the same call."""

    seconds: list[float]

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return sorted(self.seconds)[len(self.seconds) // 2]

    def __str__(self) -> str:
        return f"{1000 * self.best:.1f} / {1000 * self.median:.1f}"


def timed(runs: int, call: Callable[..., Any], *arguments: Any) -> Timing:
    """Call once to warm up where it is quick, then `runs` times."""
    if runs > SLOW_RUNS:
        call(*arguments)
    seconds = []
    for _ in range(runs):
        gc.collect()
        start = time.perf_counter()
        result = call(*arguments)
        seconds.append(time.perf_counter() - start)
        del result
    return Timing(seconds)


class Bench:
    """The nodes of ComfyUI and of this pack, loaded as a server loads them, and the tables so far."""

    def __init__(self, comfyui: Path) -> None:
        from ...toy.models import host

        host.make_importable(comfyui)
        self.torch = importlib.import_module("torch")
        self.host: ModuleType = importlib.import_module("nodes")
        if not asyncio.run(self.host.load_custom_node(str(ROOT))):
            raise RuntimeError("ComfyUI could not load the pack; its log above says why.")
        self.core_masks = importlib.import_module("comfy_extras.nodes_mask")
        self.lines: list[str] = []
        self.missed: list[str] = []

    def node(self, name: str, **inputs: Any) -> tuple[Any, ...]:
        """Run one of the pack's nodes and return its outputs."""
        return self.host.NODE_CLASS_MAPPINGS[f"Recompose{name}"].execute(**inputs).args

    def table(self, title: str, head: list[str]) -> None:
        print(f"\n{title}")
        self.lines += ["", f"## {title}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]

    def row(self, *cells: object) -> None:
        print("  " + " · ".join(map(str, cells)), flush=True)
        self.lines.append("| " + " | ".join(map(str, cells)) + " |")

    def judged(self, name: str, value: float, limit: float, at_least: bool) -> str:
        """The value as ×, and whether the limit is kept; a miss is remembered for the summary."""
        kept = value >= limit if at_least else value <= limit
        if not kept:
            self.missed.append(f"{name}: {value:.1f}× (wanted {'≥' if at_least else '≤'} {limit:g}×)")
        return f"{value:.1f}×{'' if kept else ' (missed)'}"

    def picture(self, side: int) -> Any:
        generator = self.torch.Generator().manual_seed(side)
        return self.torch.rand(1, side, side, 3, generator=generator)

    def extend(self, image: Any, fill: str) -> tuple[Any, ...]:
        chosen = {"fill": fill, "color": "#808080", "seed": 1}
        return self.node("ExtendCanvas", image=image, mode=SIDES, multiple_of=8, fill=chosen, feather=FEATHER)

    def pad(self, image: Any, feather: int) -> tuple[Any, ...]:
        """The same extension by ComfyUI's node."""
        left, top, right, bottom = (SIDES[key] for key in ("left", "top", "right", "bottom"))
        return self.host.ImagePadForOutpaint().expand_image(image, left, top, right, bottom, feather)

    def copies(self, *tensors: Any) -> list[Any]:
        """A bare copy of each tensor: memory from the system and the same bytes."""
        return [self.torch.empty_like(tensor).copy_(tensor) for tensor in tensors]


def bench_extend(bench: Bench) -> None:
    head = [
        "picture",
        "fill",
        "ms (best / median)",
        "ImagePadForOutpaint, ms",
        "faster",
        "bare copy, ms",
        "of a copy",
    ]
    bench.table("Extend Canvas, 64 + 64 + 256 px more, 40 px feather", head)
    for side in (1024, 2048, LARGEST):
        image = bench.picture(side)
        theirs = timed(SLOW_RUNS, bench.pad, image, FEATHER)
        outputs = bench.extend(image, "edge")[:2]
        copy = timed(RUNS, bench.copies, *outputs)
        for fill in FILLS:
            ours = timed(RUNS, bench.extend, image, fill)
            # The comparison is with a node that fills with one colour; the other fills do more.
            name, plain = f"Extend Canvas {side}, {fill}", fill == "color"
            ratio, share = theirs.best / ours.best, ours.best / copy.best
            faster = bench.judged(name, ratio, 80, True) if plain and side < LARGEST else f"{ratio:.1f}×"
            costs = bench.judged(name, share, 2, False) if plain and side == LARGEST else f"{share:.1f}×"
            bench.row(f"{side}²", fill, ours, theirs, faster, copy, costs)


def masks(bench: Bench) -> dict[str, Any]:
    """A compact mask and one of scattered strokes, 1,H,W."""
    torch = bench.torch
    rows, columns = torch.meshgrid(*[torch.arange(MASK_SIDE)] * 2, indexing="ij")
    compact = ((rows - 1000) ** 2 / 1.7 + (columns - 1100) ** 2 < 350**2).float()[None]
    strokes = torch.zeros(1, MASK_SIDE, MASK_SIDE)
    generator = torch.Generator().manual_seed(5)
    for x, y, across, down in torch.randint(0, 1 << 20, (40, 4), generator=generator).tolist():
        for step in range(200):
            left = (x + step * (across % 7 - 3) // 3) % (MASK_SIDE - 6)
            top = (y + step * (down % 5 - 2) // 2) % (MASK_SIDE - 6)
            strokes[0, top : top + 6, left : left + 6] = 1
    return {"compact": compact, "scattered strokes": strokes}


def feather(bench: Bench, mask: Any, grow: float, width: float) -> Any:
    settings = {"grow": grow, "feather": width, "direction": "both", "shape": "linear"}
    return bench.node("FeatherMask", mask=mask, **settings, border_is_edge=False)[0]


def distance_error(bench: Bench, mask: Any) -> float:
    """The largest error in px of the distances 1…128 read back from a linear feather, by scipy's."""
    from scipy.ndimage import distance_transform_edt

    truth = distance_transform_edt(mask[0].numpy() < 0.5) - 0.5
    soft = feather(bench, mask, GROW / 2, GROW)[0].double().numpy()
    band = (truth > 0) & (truth < GROW)
    return float(abs((1 - soft) * GROW - truth)[band].max())


def bench_feather(bench: Bench) -> None:
    head = ["mask", "ms (best / median)", "GrowMask, ms", "faster", "largest error, px"]
    bench.table(f"Feather Mask, growing {GROW} px at {MASK_SIDE}²", head)
    for (name, mask), wanted in zip(masks(bench).items(), (20, 10), strict=True):
        ours = timed(RUNS, feather, bench, mask, GROW, 0.0)
        theirs = timed(SLOW_RUNS, bench.core_masks.GrowMask.execute, mask, GROW, True)
        error = distance_error(bench, mask)
        if error > 1e-3:
            bench.missed.append(f"Feather Mask, {name}: {error:.5f} px (wanted ≤ 0.001)")
        faster = bench.judged(f"Feather Mask, {name}", theirs.best / ours.best, wanted, True)
        bench.row(name, ours, theirs, faster, f"{error:.6f}")


def stitching(bench: Bench) -> dict[str, Callable[[], Any]]:
    """Stitch Back at 4096² with the lowest quarter new."""
    torch, height = bench.torch, LARGEST * 3 // 4
    original = bench.picture(LARGEST)
    generated = (original * 0.95 + 0.02).contiguous()
    region = {"x": 0, "y": 0, "width": LARGEST, "height": height}
    region |= {"canvas_width": LARGEST, "canvas_height": LARGEST}
    mask = torch.zeros(1, LARGEST, LARGEST)
    mask[:, height:] = 1
    inputs = {"original": original, "generated": generated, "mask": mask, "region": region}
    composite = bench.core_masks.ImageCompositeMasked
    return {
        "Stitch Back, strict": lambda: bench.node("StitchBack", mode={"mode": "strict"}, **inputs),
        "Stitch Back, blend over 16 px": lambda: bench.node(
            "StitchBack", mode={"mode": "blend", "width": 16}, **inputs
        ),
        "ImageCompositeMasked (no tone, no seam ratio)": lambda: composite.execute(
            original, generated, 0, 0, False, mask
        ),
        "bare copy of the picture": lambda: bench.copies(original),
    }


def bench_stitch(bench: Bench) -> None:
    bench.table(f"Stitch Back at {LARGEST}², the lowest quarter new", ["", "ms (best / median)"])
    for name, call in stitching(bench).items():
        bench.row(name, timed(RUNS, call))


def bench_outputs(bench: Bench) -> None:
    """Whether what the nodes give is contiguous and memory of its own."""
    bench.table("Outputs", ["node", "contiguous", "shares memory with an input"])
    image, mask = bench.picture(512), bench.torch.ones(1, 512, 512)
    zero = {key: value if key == "mode" else 0 for key, value in SIDES.items()}
    whole = {"x": 0, "y": 0, "width": 512, "height": 512, "canvas_width": 512, "canvas_height": 512}
    plain = {"multiple_of": 8, "fill": {"fill": "edge"}, "feather": 0, "mask": mask}
    calls = {
        "Extend Canvas": bench.extend(image, "edge")[:2],
        "Extend Canvas by nothing": bench.node("ExtendCanvas", image=image, mode=zero, **plain)[:2],
        "Feather Mask by nothing": (feather(bench, mask, 0, 0),),
        "Stitch Back of nothing": bench.node(
            "StitchBack", original=image, generated=None, mode={"mode": "strict"}, region=whole
        )[:1],
    }
    given = {tensor.untyped_storage().data_ptr() for tensor in (image, mask)}
    for name, outputs in calls.items():
        contiguous = all(tensor.is_contiguous() for tensor in outputs)
        shared = any(tensor.untyped_storage().data_ptr() in given for tensor in outputs)
        if shared or not contiguous:
            bench.missed.append(f"{name}: outputs must be contiguous and memory of their own")
        bench.row(name, "yes" if contiguous else "no", "yes" if shared else "no")


def bench_memory(bench: Bench) -> None:
    bench.table(f"Peak memory at {LARGEST}² beyond the inputs", ["", "MB"])
    image = bench.picture(LARGEST)
    for fill in ("edge", "smooth"):
        bench.row(f"Extend Canvas, {fill}", f"{peak_megabytes(bench.extend, image, fill):.0f}")
    bench.row("ImagePadForOutpaint, without feather", f"{peak_megabytes(bench.pad, image, 0):.0f}")
    for name, call in stitching(bench).items():
        bench.row(name, f"{peak_megabytes(call):.0f}")
    mask = masks(bench)["scattered strokes"]
    bench.row(
        f"Feather Mask, strokes at {MASK_SIDE}²", f"{peak_megabytes(feather, bench, mask, GROW, 0):.0f}"
    )


def report(bench: Bench) -> str:
    """The measured tables as Markdown."""
    threads = bench.torch.get_num_threads()
    summary = [f"- {line}" for line in bench.missed] or ["Every aim below was reached."]
    head = [
        "# Performance",
        "",
        "Written by `python3 cli bench`: this pack beside ComfyUI's own nodes, in one process, one after the",
        f"other. Times are the best / the median of {RUNS} runs ({SLOW_RUNS} of what takes seconds),",
        "in milliseconds.",
        f"Machine: {platform.machine()}, {os.cpu_count()} cores, torch {bench.torch.__version__} on the CPU "
        f"with {threads} threads, Python {platform.python_version()}.",
        "",
        "Aims: Extend Canvas ≥ 80× as fast as ImagePadForOutpaint at 1024² and 2048² and at most 2× a bare",
        "copy at 4096² (judged on the like-for-like fill, one colour); Feather Mask ≥ 20× as fast as",
        "GrowMask on a compact mask, ≥ 10× on strokes, within 0.001 px.",
        "",
        *summary,
    ]
    return "\n".join([*head, *bench.lines, ""])


def main(arguments: list[str], environment: Environment) -> int:
    """Measure the nodes; where an aim is missed the report says so."""
    options = argparse.ArgumentParser(prog="cli bench", description="Measure the nodes' speed and memory.")
    options.add_argument("--out", type=Path, default=REPORT, help="where the report goes")
    target = options.parse_args(arguments).out
    bench = Bench(environment.comfyui)
    with bench.torch.inference_mode():
        for part in (bench_extend, bench_feather, bench_stitch, bench_outputs, bench_memory):
            part(bench)
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    kept = [part_of(before, part.HEADING).strip() for part in (startup, regions, sampling, editor)]
    target.write_text("\n\n".join([report(bench).rstrip(), *filter(None, kept)]) + "\n", encoding="utf-8")
    print("\n" + "\n".join(bench.missed or ["Every aim was reached."]) + f"\n→ {target}")
    return 0
