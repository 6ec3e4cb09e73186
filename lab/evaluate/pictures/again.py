"""Paint a random share of what is committed again and compare it bit for bit.

A version changes with every edit of the code that a picture is painted with, also with edits that leave all
pictures as they are. Painting everything again takes hours; a share of every kind and method shows it sooner.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from .run import TRUE, Study, alike
from .tasks import Task

SEED = 1
UNSTABLE = "seconds"  # which no two runs share


def batches(study: Study, share: float) -> Iterator[tuple[str, str, list[Task]]]:
    """Random batches of every kind and method, as they are painted together, of at least a share of each."""
    chance = random.Random(SEED)
    for kind, todo in study.tasks.items():
        for method in study.versions:
            order, count = list(alike(todo)), 0
            chance.shuffle(order)
            for some in order:
                if count >= share * len(todo):
                    break
                count += len(some)
                yield kind, method, some


def again(study: Study, kept: dict[str, Any], share: float) -> list[str]:
    """What came out differently from the committed rows, a line each; [] where all rows are the same."""
    committed = {(row["kind"], row["by"], row["seed"]): row for row in kept["rows"]}
    different, count = [], 0
    for kind, method, some in batches(study, share):
        calls: dict[str, int] = {}
        images = [task.example.image for task in some]
        if method != TRUE:
            images, calls["calls"] = study.painted(kind, method, some)
        for row in study.measured(kind, method, some, images):
            before = dict(committed[kind, method, row["seed"]])
            before.pop(UNSTABLE, None)
            count += 1
            if row | calls != before:
                changed = {name: (before.get(name), value) for name, value in (row | calls).items()}
                changed = {name: values for name, values in changed.items() if values[0] != values[1]}
                different.append(f"{kind}, {method}, seed {row['seed']}: {changed}")
                print(different[-1], flush=True)
        print(f"{kind}, {method}: {count} of {len(committed)} again, {len(different)} differ", flush=True)
    return different
