"""What is sampled for a pair: how the target row is to follow the source row."""

from __future__ import annotations

from dataclasses import dataclass

STEPS, CFG = 50, 3.0
SAMPLER, SCHEDULER = "euler", "normal"  # the steps of DDIM
FIRST = 4  # step from which the published editor replaces
PLAIN, CEILING = "same noise", "all colours in words"
REPLACE, UNION, MASKED = "replace", "union", "masked"
FROM_WORDS = "masked, from words"
POSED, POSED_PLAIN = "replace, ControlNet", "ControlNet"
PUBLISHED, OTSU = 0.1, 0.0  # thresholds of the masks from words


@dataclass(frozen=True)
class Run:
    """One way to sample a source and a target; no mode is a batch without the patch."""

    name: str
    mode: str = ""
    steps: str = f"{FIRST}-"
    layers: str = ""  # the default of the node
    posed: bool = False  # whether the target row has a ControlNet
    threshold: float | None = None  # of masks from words

    @property
    def settings(self) -> str:
        """What the pictures depend on."""
        words = [] if self.threshold is None else [f"threshold {self.threshold:g}"]
        return "; ".join([self.mode, self.steps, self.layers, "posed" * self.posed, *words])


TABLE = (
    Run(PLAIN),
    Run(REPLACE, "replace"),
    Run(UNION, "union"),
    Run(MASKED, "masked"),
    Run(f"{FROM_WORDS}, {PUBLISHED:g}", FROM_WORDS, threshold=PUBLISHED),
    Run(f"{FROM_WORDS}, Otsu", FROM_WORDS, threshold=OTSU),
    Run(POSED_PLAIN, posed=True),
    Run(POSED, "replace", posed=True),
)
# What follows the source and nothing else.
FOLLOWING = [run for run in TABLE if run.mode and not run.posed]
LAST = range(20, STEPS + 1, 5)
STARTS = range(0, 11, 2)
OF_TEN = range(1, 10)
LAYERS = {
    "10–15": "",
    "13–15": "13-15",
    "7–15, decoder": "decoder",
    "6, middle": "middle",
    "0–5, encoder": "encoder",
    "all": "all",
}


def until(last: int) -> str:
    """The steps from the first to before `last`, as a text of ranges."""
    return f"{FIRST}-" if last == STEPS else f"{FIRST}-{last - 1}"


def skipped(first: int) -> str:
    """Of each ten steps those after the first `first`, as a text of ranges."""
    return ",".join(f"{start + first}-{start + 9}" for start in range(0, STEPS, 10))


# Each curve is what the published study varies, with replace: title, and its runs by what is varied.
STUDY: dict[str, dict[str, Run]] = {
    "last step, from 4": {str(last): Run(f"until {last}", "replace", until(last)) for last in LAST},
    "first step, to the end": {str(first): Run(f"from {first}", "replace", f"{first}-") for first in STARTS},
    "skipped first steps of every ten": {
        str(first): Run(f"without {first} of ten", "replace", skipped(first)) for first in OF_TEN
    },
    "layers": {name: Run(f"layers {name}", "replace", layers=text) for name, text in LAYERS.items()},
}
