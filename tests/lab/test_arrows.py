"""The arrows inside the lab: inference knows no training, and neither files nor folders go in circles."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from recompose.lab import version
from recompose.lab.places import ROOT

FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "lab").rglob("*.py"))
# A file straight inside one of these stands for itself: it is ground that the folders beside it stand on.
GROUND = (Path("lab"), Path("lab/toy"), Path("lab/evaluate"), Path("lab/train"))


def folder(path: Path) -> Path:
    """The part of the lab that a file belongs to."""
    return path if path.parent in GROUND else path.parent


def arrows() -> dict[Path, set[Path]]:
    """What each file of the lab imports of the lab; of packages only the world's holds code."""
    ours = {path for path in FILES if path.name != "__init__.py" or path.parent.name == "world"}
    return {path: version.imported(path) & ours for path in ours}


def circle(graph: dict[Path, set[Path]]) -> list[Path]:
    """A circle in a graph, [] where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_inference_knows_no_training() -> None:
    for path, targets in arrows().items():
        if path.parts[1] == "toy":
            assert not [target for target in targets if target.parts[1] in ("train", "evaluate")], path


def test_no_file_leads_back_to_itself() -> None:
    # The modules of the drawn world are imported through its package, which imports them.
    found = {
        path: {target for target in targets if target.parent != path.parent or target.name != "__init__.py"}
        for path, targets in arrows().items()
    }
    assert circle(found) == []


def test_no_folder_leads_back_to_itself() -> None:
    found: dict[Path, set[Path]] = {}
    for path, targets in arrows().items():
        found.setdefault(folder(path), set()).update(map(folder, targets))
    assert circle({name: targets - {name} for name, targets in found.items()}) == []


def test_the_parts_of_the_evaluation_stand_side_by_side() -> None:
    beside = {
        (folder(path).name, folder(target).name)
        for path, targets in arrows().items()
        for target in targets
        if path.parts[:2] == target.parts[:2] == ("lab", "evaluate") and len(target.parts) > 3
        if folder(path) != folder(target)
    }
    assert beside == {("pictures", "samplers")}  # its pictures are one of the samplers' problems


def test_a_planted_circle_is_found() -> None:
    a, b = Path("a"), Path("b")
    assert circle({a: {b}, b: {a}}) and not circle({a: {b}, b: set()})


@pytest.mark.parametrize(
    "source",
    [
        "from ..train import masks\n",
        "def f():\n    from ..train.masks import hole\n",
        "from .. import train\n",
        "import recompose.lab.train.masks\n",
        'importlib.import_module("recompose.lab.train.masks")\n',
    ],
)
def test_every_way_to_import_training_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    for name in ("lab/__init__.py", "lab/toy/x.py", "lab/train/__init__.py", "lab/train/masks.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source if name == "lab/toy/x.py" else "")
    monkeypatch.setattr(version, "ROOT", tmp_path)
    assert Path("lab/train/__init__.py") in version.imported(Path("lab/toy/x.py"))
