"""The metrics by the names of the command's option, and what each needs."""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """What a metric needs beside two folders, which values are better, and whether it compares pixels."""

    name: str
    needs: tuple[str, ...] = ()
    alike: bool = False  # both pictures must have one size
    sets: bool = False  # it compares two sets, and needs no pairs


METRICS = {
    metric.name: metric
    for metric in (
        Metric("changed", alike=True),
        Metric("psnr", alike=True),
        Metric("ssim", alike=True),
        Metric("seam", ("masks",), alike=True),
        Metric("lpips", alike=True),
        Metric("fid", sets=True),
        Metric("kid", sets=True),
        Metric("local-fid", ("masks",), alike=True),
        Metric("local-kid", ("masks",), alike=True),
        Metric("clip", ("captions",)),
        Metric("pck", ("poses",)),
        Metric("oks", ("poses",)),
    )
}

SETS = ("fid", "kid", "local-fid", "local-kid")
BY_LIBRARY = ("ssim", "lpips", *SETS)
FEATURES = ("auto", "Inception", "evaluator")  # what sets are compared by
DETECTORS = ("BlazePose", "evaluator")
