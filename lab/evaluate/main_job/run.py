"""Every method on every test picture, through one server; what is done is kept and not done again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from ....cli import demo, saving
from ....cli.comfy import jobs
from ....cli.comfy.jobs import Jobs, Row
from ... import version as versions
from ...setup.server import PrivateServer
from ...toy import table
from ...toy.prompt import MODELS
from . import prompts
from .cases import Case

PLAN = "plan"
# What makes the saved results beside their prompts: the pack, the toy models' pack and files, the pictures.
MAKERS = ("__init__", "lab.toy.model_pack", "lab.toy.assemble", "lab.evaluate.main_job.cases")
Tell = Callable[[Row], None]


def models() -> list[str]:
    """The toy models that the prompts load."""
    places = {
        place: made_of for place, made_of in table.installed().items() if Path(place).name in MODELS.values()
    }
    return sorted({model.name for made_of in places.values() for model in made_of})


def version(comfyui: Path) -> str:
    """A short name that changes with the models, the pack, the world or ComfyUI's folder."""
    return versions.version(MAKERS, models(), settings=f"{comfyui.parent.name}/{comfyui.name}")


class Runner:
    """Runs prompts on a server and keeps pictures and rows in a folder."""

    def __init__(self, server: PrivateServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.jobs = Jobs(folder, ("seed", "method"))

    def picture(self, seed: int, method: str) -> Path:
        """Where a method's saved result is; the plan's is the photo as the server loaded it."""
        return self.folder / f"{seed:03d}_{method}.png"

    def look(self, seed: int, method: str) -> np.ndarray:
        """A kept result as 8-bit H,W,3."""
        return np.asarray(Image.open(self.picture(seed, method)).convert("RGB"))

    def row(self, seed: int, method: str) -> Row:
        """The row of a kept result."""
        return self.jobs.journal.rows[seed, method]

    def keep(self, case: Case, method: str, prompt: dict, node: dict, row: Row) -> Row:
        """Save the picture of a node's output as it is on the server, then the row."""
        files = {self.picture(case.seed, method).name: node["images"][0]}
        return self.jobs.keep(self.server, (case.seed, method), prompt, files, row)

    def plan(self, case: Case, tell: Tell) -> Row:
        """Caption, canvas and completed pose of a picture, which all methods share."""
        photo = f"quality_{case.seed:03d}.png"
        file = io.BytesIO()
        Image.fromarray(case.cropped.image).save(file, "PNG")
        (path,) = saving.save(self.folder, [(photo, file.getvalue())], overwrite=True)
        prompt = prompts.plan(photo, case.cropped.pose, case.seed)
        self.server.client.upload(path)
        if not self.jobs.done((case.seed, PLAN), prompt):
            outputs, seconds = jobs.run(self.server, prompt)
            extension = outputs["Extend Canvas"]["recompose"][0]
            row = {"seconds": seconds, "photo": photo, **extension}
            row["caption"] = outputs[prompts.CAPTION]["text"][0]
            row["pose"] = json.loads(outputs[prompts.POSE]["text"][0])
            tell(self.keep(case, PLAN, prompt, outputs[demo.REFERENCE], row))
        return self.row(case.seed, PLAN)

    def make(self, case: Case, methods: Iterable[str], tell: Tell = lambda row: None) -> None:
        """Run what is not done yet of a picture."""
        shared = self.plan(case, tell)
        given = shared["photo"], case.cropped.pose, case.seed, shared["caption"], shared["padding"]
        for build, results in prompts.RUNS.items():
            if not set(results) & set(methods):
                continue
            prompt = build(*given)
            if all(self.jobs.done((case.seed, method), prompt) for method in results):
                continue
            outputs, seconds = jobs.run(self.server, prompt)
            for method, title in results.items():
                tell(self.keep(case, method, prompt, outputs[title], {"seconds": seconds}))
