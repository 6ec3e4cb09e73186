"""A report of which each command writes its own part, under a heading of its own."""

from __future__ import annotations

from pathlib import Path


def part_of(report: str, heading: str) -> str:
    """The part from `heading` ("## …") to the next of its kind; "" where it has none."""
    at = report.find(f"{heading}\n")
    if at < 0:
        return ""
    end = report.find("\n## ", at + len(heading))
    return report[at:] if end < 0 else report[at : end + 1]


def replace_part(path: Path, heading: str, part: str) -> None:
    """Write `part`, which begins with `heading`, into the report in place of the old one, or at its end."""
    report = path.read_text(encoding="utf-8")
    old = part_of(report, heading)
    new = part.rstrip() + "\n"
    if old:
        after = report[report.index(old) + len(old) :]
        text = report[: report.index(old)] + new + (f"\n{after}" if after else "")
    else:
        text = f"{report.rstrip()}\n\n{new}"
    path.write_text(text, encoding="utf-8")
