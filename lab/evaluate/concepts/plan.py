"""How much is taught and looked at, and what the rows of the table train."""

from __future__ import annotations

from dataclasses import dataclass

from ...toy import things
from ...toy.things import Thing

LESSONS, PROMPTS, OTHERS = 5, 6, 6  # pictures of a thing; captions with it, and of other classes
FIRST, SECOND = "<new1>", "<new2>"  # the word of an object, and of what a person wears or is
STEPS, BATCH, SAVINGS = 360, 4, 2
JOINT = 1.5  # steps of a training of two things, in those of one
CAPTIONS = 200  # on which a merged model is to stay as it was
BASE, EMBEDDING, CUSTOM, WHOLE = "class word alone", "embedding alone", "Custom Diffusion", "everything"
TRUE, ROUND_TRIP = "true pictures", "true pictures, through the VAE"
MERGED, CHAINED, TOGETHER, KNOWN = "merged in closed form", "chained", "trained together", "known to the base"


@dataclass(frozen=True)
class Row:
    """A way to teach a thing: the weights that learn, as Train Concept calls them, and the rates tried."""

    name: str
    train: str
    rates: tuple[float, ...]


ROWS = (
    Row(EMBEDDING, "embedding alone", (5e-3, 2e-2)),
    Row(CUSTOM, "keys and values", (2.5e-4, 5e-4, 1e-3)),
    Row(WHOLE, "", (5e-5, 2e-4)),  # all weights of the UNet
)
ROW = {row.name: row for row in ROWS}


@dataclass(frozen=True)
class Setting:
    """A rate and steps."""

    rate: float
    steps: int

    def __str__(self) -> str:
        return f"rate {self.rate:g}, {self.steps} steps"


@dataclass(frozen=True)
class Plan:
    """Of how many things, and up to how many steps; less than all is a trial."""

    number: int = len(things.THINGS)
    steps: int = STEPS

    def __post_init__(self) -> None:
        if not (2 <= self.number <= len(things.THINGS) and self.number % 2 == 0):
            raise ValueError(
                f"Expected an even number of things from 2 to {len(things.THINGS)}, got {self.number}; "
                "take another."
            )
        if self.steps < SAVINGS:
            raise ValueError(f"Expected at least {SAVINGS} steps, got {self.steps}; take more.")

    @property
    def trial(self) -> bool:
        return self != Plan()

    @property
    def pairs(self) -> tuple[tuple[Thing, Thing], ...]:
        return things.PAIRS[: self.number // 2]

    @property
    def things(self) -> tuple[Thing, ...]:
        return tuple(thing for pair in self.pairs for thing in pair)

    @property
    def further(self) -> tuple[Thing, ...]:
        """On which rates and steps are chosen."""
        return things.FURTHER[: max(self.number // 6, 1)]

    @property
    def every(self) -> tuple[Thing, ...]:
        return (*self.things, *self.further)

    @property
    def savings(self) -> tuple[int, ...]:
        """The steps after which a training on a further thing is looked at."""
        return tuple(self.steps * number // SAVINGS for number in range(1, SAVINGS + 1))


def word(thing: Thing) -> str:
    """The new word for a thing."""
    return FIRST if thing.sort == things.OBJECT else SECOND
