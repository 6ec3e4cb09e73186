"""`completion --people FILE`: hold completed legs of real people on cut photographs against the truth."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..setup.environment import Environment


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli completion",
        description="Complete people whose points on a whole photograph are known on cuts of it, and hold "
        "guessed ankles and the canvas against the truth, by family, beside legs that hang straight down.",
    )
    options.add_argument("--people", type=Path, required=True, metavar="FILE", help="the people")
    options.add_argument(
        "--detected", action="store_true", help="give what a detector found on each cut, not the true points"
    )
    options.add_argument("--json", action="store_true", help="print one JSON object, not tables")
    options.add_argument(
        "--keep", action="store_true", help="keep the figures for docs/completion.md (cli figures completion)"
    )
    options.add_argument("--save", type=Path, metavar="FILE", help="also write this code's guesses")
    options.add_argument(
        "--beside",
        nargs="*",
        default=[],
        metavar="NAME=FILE",
        help="also judge guesses that other code saved",
    )
    return options


def main(arguments: list[str], environment: Environment) -> int:
    """Measure and print."""
    given = parser().parse_args(arguments)
    from ..evaluate.completion import people, people_page

    try:
        cuts = people.read(given.people)
        ways = {name: people.guesses(cuts, way, given.detected) for name, way in people.WAYS.items()}
        for name, _, file in (entry.partition("=") for entry in given.beside):
            ways[name] = people.load(Path(file))
        if given.save:
            people.save(ways[people.NOW], given.save)
        rows = people.rows(cuts, ways)
        if not rows:
            raise ValueError(f"No cut of {given.people} was measured every way; check the saved guesses.")
    except (OSError, ValueError) as error:
        print(f"completion: {error}", file=sys.stderr)
        return 1
    found = people_page.summary(rows, list(ways))
    if given.keep:
        people_page.keep("detected" if given.detected else "given", found)
    if given.json:
        print(json.dumps({"summary": found, "rows": rows}, ensure_ascii=False))
    else:
        print("\n".join(people_page.tables(found, list(ways))).strip())
    return 0
