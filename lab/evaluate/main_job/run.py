"""Every method on every test picture, through one server; what is done is kept and not done again."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from ....cli import demo, saving
from ....cli.comfy import errors, workflow
from ....cli.comfy.client import ServerError
from ...setup.server import ROOT, PrivateServer
from ..journal import Journal, Row
from . import prompts
from .cases import Case

PLAN = "plan"
# What the saved results depend on beside their prompts; who only looks at them is not among it.
SOURCES = (
    "core",
    "bridge",
    "nodes",
    "lab/toy/model_pack",
    "lab/toy/models",
    "lab/toy/world",
    "lab/evaluate/main_job/cases.py",
)
WEIGHTS = ("vae", "text", "unet", "openpose", "captioner")
Tell = Callable[[Row], None]


def version(comfyui: Path) -> str:
    """A short name that changes with the models, the pack, the world or ComfyUI's folder."""
    digest = hashlib.sha256(f"{comfyui.parent.name}/{comfyui.name}".encode())
    for source in (*SOURCES, *(f"lab/weights/{name}.safetensors" for name in WEIGHTS)):
        path = ROOT / source
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class Studio:
    """Runs prompts on a server and keeps pictures and rows in a folder."""

    def __init__(self, server: PrivateServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.journal = Journal(folder / "made.jsonl")

    def picture(self, seed: int, method: str) -> Path:
        """Where a method's saved result is; the plan's is the photo as the server loaded it."""
        return self.folder / f"{seed:03d}_{method}.png"

    def look(self, seed: int, method: str) -> np.ndarray:
        """A kept result as 8-bit H,W,3."""
        return np.asarray(Image.open(self.picture(seed, method)).convert("RGB"))

    def done(self, seed: int, methods: Iterable[str], asked: str) -> bool:
        """Whether these results of the very same prompt are there."""
        rows = [self.journal.get(seed, method) for method in methods]
        return all(row is not None and row["asked"] == asked for row in rows)

    def run(self, prompt: dict) -> tuple[dict, float]:
        """The outputs by title and the seconds the server worked; ServerError says why it failed."""
        entry = self.server.run(prompt)
        failure = errors.failure(entry, prompt)
        if failure:
            raise ServerError(failure)
        times = {kind: data.get("timestamp", 0) for kind, data in entry["status"]["messages"]}
        seconds = (times["execution_success"] - times["execution_start"]) / 1000
        outputs = {workflow.title(prompt, node): output for node, output in entry["outputs"].items()}
        return outputs, round(seconds, 2)

    def keep(self, seed: int, method: str, outputs: dict, title: str, row: Row) -> None:
        """Save the picture of a node as it is on the server, then the row that says it is there."""
        content = self.server.client.fetch(outputs[title]["images"][0])
        saving.save(self.folder, [(self.picture(seed, method).name, content)], overwrite=True)
        self.journal.add({"seed": seed, "method": method, **row})

    def plan(self, case: Case, tell: Tell) -> Row:
        """Caption, canvas and completed pose of a picture, which all methods share."""
        photo = f"quality_{case.seed:03d}.png"
        file = io.BytesIO()
        Image.fromarray(case.cropped.image).save(file, "PNG")
        (path,) = saving.save(self.folder, [(photo, file.getvalue())], overwrite=True)
        prompt = prompts.plan(photo, case.cropped.pose, case.seed)
        asked = fingerprint(prompt)
        self.server.client.upload(path)
        if not self.done(case.seed, [PLAN], asked):
            outputs, seconds = self.run(prompt)
            extension = outputs["Extend Canvas"]["recompose"][0]
            row = {"asked": asked, "seconds": seconds, "photo": photo, **extension}
            row["caption"] = outputs[prompts.CAPTION]["text"][0]
            row["pose"] = json.loads(outputs[prompts.POSE]["text"][0])
            self.keep(case.seed, PLAN, outputs, demo.REFERENCE, row)
            tell(self.journal.rows[case.seed, PLAN])
        return self.journal.rows[case.seed, PLAN]

    def make(self, case: Case, methods: Iterable[str], tell: Tell = lambda row: None) -> None:
        """Run what is not done yet of a picture."""
        shared = self.plan(case, tell)
        given = shared["photo"], case.cropped.pose, case.seed, shared["caption"], shared["padding"]
        for build, results in prompts.RUNS.items():
            if not set(results) & set(methods):
                continue
            prompt = build(*given)
            asked = fingerprint(prompt)
            if self.done(case.seed, results, asked):
                continue
            outputs, seconds = self.run(prompt)
            for method, title in results.items():
                self.keep(case.seed, method, outputs, title, {"asked": asked, "seconds": seconds})
                tell(self.journal.rows[case.seed, method])


def fingerprint(prompt: dict) -> str:
    """A short name of exactly this prompt."""
    return hashlib.sha256(json.dumps(prompt, sort_keys=True).encode()).hexdigest()[:16]
