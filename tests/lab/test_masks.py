"""The holes that the inpaint model learns from, and what the lab shares: whole files and Lab colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from recompose.core.canvas import seam
from recompose.core.pose import skeleton
from recompose.lab.files import replacing
from recompose.lab.toy import world
from recompose.lab.train import masks


def test_strokes_stay_on_the_limbs() -> None:
    """Feet wide apart: no stroke goes from one foot to the other."""
    points = np.zeros((24, 3))
    points[[skeleton.R_HIP, skeleton.R_KNEE, skeleton.R_ANKLE]] = [(20, 20, 1), (20, 60, 1), (20, 100, 1)]
    points[[skeleton.L_HIP, skeleton.L_KNEE, skeleton.L_ANKLE]] = [(108, 20, 1), (108, 60, 1), (108, 100, 1)]
    points[[skeleton.R_BIG_TOE, skeleton.L_BIG_TOE]] = [(14, 108, 1), (114, 108, 1)]
    for seed in range(40):
        mask = masks.strokes(points, 128, 128, np.random.default_rng(seed))
        assert not mask[:, 40:88].any() and set(np.unique(mask)) <= {0, 1}
    assert any(
        masks.strokes(points, 128, 128, np.random.default_rng(seed))[100:, :40].any() for seed in range(40)
    )


def test_bones_join_points_of_one_side() -> None:
    names = (*world.body.BODY, *world.body.FEET)
    for bone in masks.BONES:
        sides = {name.split()[0] for name in (names[index] for index in bone)} & {"left", "right"}
        assert len(sides) <= 1, [names[index] for index in bone]


def test_a_file_or_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file, folder = tmp_path / "deep" / "file", tmp_path / "folder"
    with replacing(file) as unfinished:
        unfinished.write_text("old")
    (tmp_path / "folder.unfinished").mkdir()
    (tmp_path / "folder.unfinished" / "left by a kill").touch()
    with replacing(folder) as unfinished:
        unfinished.mkdir()
        (unfinished / "new").touch()
        assert not folder.exists()
    for path in (file, folder):
        with pytest.raises(ZeroDivisionError), replacing(path) as unfinished:
            unfinished.write_text("half")
            raise ZeroDivisionError
    assert file.read_text() == "old" and [path.name for path in folder.iterdir()] == ["new"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "file", "folder", "new"]


def test_the_drawn_worlds_lab_colours_are_cores() -> None:
    colours = np.array([*world.COLOURS.values(), *world.HAIR.values(), (0, 0, 0), (255, 255, 255), (1, 2, 3)])
    expected = seam.lab(torch.from_numpy(colours / 255)).numpy()
    np.testing.assert_allclose(world.lab(colours), expected, atol=2e-3)
