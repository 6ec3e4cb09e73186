"""The template many_regions in a real server: two parts change, each in its own words, and nothing else."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from recompose.cli.comfy import workflow

ROOT = Path(__file__).resolve().parents[2]
PROMPT = json.loads((ROOT / "workflows" / "api" / "many_regions.json").read_text())
PARTS = {"First": (slice(20, 61), slice(5, 47)), "Second": (slice(70, 101), slice(60, 119))}


def masked(picture: np.ndarray, part: tuple[slice, slice]) -> bytes:
    """The picture's file with a part masked by transparency."""
    opaque = np.full(picture.shape[:2], 255, np.uint8)
    opaque[part] = 0
    file = io.BytesIO()
    Image.fromarray(np.dstack([picture, opaque])).save(file, "PNG")
    return file.getvalue()


def run(server, parts: dict) -> tuple[np.ndarray, np.ndarray]:
    """The photo and what came of it."""
    picture = np.array(Image.open(ROOT / "docs" / "demo" / "photo.png").convert("RGB"))
    made = copy.deepcopy(PROMPT)
    settings: dict[str, object] = {"Checkpoint.ckpt_name": "recompose_demo_inpaint.safetensors"}
    for number, (name, photo) in enumerate({"First": "Photo", "Second": "Photo again"}.items()):
        (server.input_dir / f"part{number}.png").write_bytes(masked(picture, parts[name]))
        settings |= {f"{photo}.image": f"part{number}.png", f"{name}: KSampler.steps": 2}
        settings |= {f"{name}: Crop to Region.{side}": 64 for side in ("width", "height")}
    for target, value in settings.items():
        node, name = workflow.locate(made, target)
        made[node]["inputs"][name] = value
    entry = server.client.run(made)
    assert entry["status"]["status_str"] == "success", json.dumps(entry["status"]["messages"])[-1500:]
    (saved,) = entry["outputs"][workflow.find(made, "Repainted")]["images"]
    return picture, np.array(Image.open(io.BytesIO(server.client.fetch(saved))))


def test_both_parts_change_and_nothing_else(server) -> None:
    picture, out = run(server, PARTS)
    changed = (out != picture).any(-1)
    for part in PARTS.values():
        assert changed[part].mean() > 0.9
        changed[part] = False
    assert not changed.any()
