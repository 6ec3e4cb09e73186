"""`quality`: measure the main job beside ComfyUI's own nodes on 100 pictures and write docs/quality.md."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...cli import demo, ending, saving
from ...cli.comfy import workflow
from ..evaluate.main_job import prompts
from ..places import DOCS, RESULTS
from ..setup import models
from ..setup.environment import Environment
from ..setup.server import PrivateServer, demo_packs

if TYPE_CHECKING:
    from ..evaluate.evaluator import Evaluator
    from ..evaluate.main_job.cases import Case
    from ..evaluate.main_job.run import Runner
    from ..evaluate.main_job.statistics import Row

NEEDS = "server"
DATA = "quality.json"
SHEET, HEADS = 12, ("photo", "(a1)", "(a2)", "(b)", "(c)", "true")
COMPLETED_PICTURES = 800


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli quality",
        description="Measure the main job beside ComfyUI's own nodes. May be stopped at any time; "
        "a rerun goes on. Fails when a figure is worse than the committed one by more than its interval.",
    )
    options.add_argument("--pictures", type=int, metavar="N", help="only the first N; docs/ stays as it is")
    options.add_argument("--accept", action="store_true", help="commit to these figures even where they fell")
    options.add_argument(
        "--out", type=Path, default=Path("out/quality"), metavar="DIR",
        help="where the report goes when it does not go into docs/ (default: %(default)s)",
    )  # fmt: skip
    return options


def committed_rows(file: Path) -> list[Row]:
    """The rows that the figures may not fall behind; none before the first run."""
    return json.loads(file.read_text(encoding="utf-8"))["rows"] if file.is_file() else []


def teller(pictures: int) -> Callable[[Row], None]:
    """Prints each finished run and about how long the rest takes."""
    begin, made = time.monotonic(), []

    def tell(row: Row) -> None:
        made.append(row)
        gone, left = time.monotonic() - begin, max(5 * (pictures - row["seed"] - 1), 0)
        minutes = gone / len(made) * left / 60
        line = f"picture {row['seed'] + 1} of {pictures}, {row['method']}: {row['seconds']:.1f} s"
        print(f"{line}; about {minutes:.0f} min to go", file=sys.stderr, flush=True)

    return tell


def make(environment: Environment, cases: list[Case], tell: Callable[[Row], None]) -> Runner:
    """Run every method on every case on a private server; what was done before is not done again."""
    from ..evaluate.main_job.run import Runner, version
    from ..evaluate.main_job.statistics import METHODS

    try:
        checkpoints = models.assembled(environment.cache)
    except RuntimeError as error:
        raise demo.DemoError(str(error)) from error
    folder = environment.cache / "quality" / version(environment.comfyui)
    packs = demo_packs()
    with PrivateServer(
        environment.python, environment.comfyui, environment.cache, packs, checkpoints
    ) as server:
        runner = Runner(server, folder)
        for case in cases:
            runner.make(case, METHODS, tell)
    return runner


def load_evaluator() -> Evaluator:
    """The evaluator of the committed weights; DemoError without good ones."""
    from ..evaluate.evaluator import Evaluator

    try:
        return Evaluator.load(models.WEIGHTS)
    except RuntimeError as error:
        raise demo.DemoError(str(error)) from error


def measure(runner: Runner, cases: list[Case], methods: list[str], evaluator: Evaluator | None) -> list[Row]:
    """The rows of all results, by picture and method; without an evaluator they lack what it sees."""
    from ..evaluate.main_job.metrics import evaluated, measured

    rows = []
    for case in cases:
        photo, plan = runner.look(case.seed, "plan"), runner.row(case.seed, "plan")
        pictures = [runner.look(case.seed, method) for method in methods]
        views = evaluator.look(pictures) if evaluator else [None] * len(pictures)
        for method, picture, seen in zip(methods, pictures, views, strict=True):
            made = plan | runner.row(case.seed, method)
            row = measured(case, made, picture, photo)
            rows.append(row | evaluated(case, made, seen) if seen else row)
    return rows


def sheet(runner: Runner, cases: list[Case]) -> bytes:
    """The first pictures, unselected, as one PNG."""
    from ...cli.report import png
    from ..evaluate.main_job.sheet import sheet as drawn
    from ..evaluate.main_job.statistics import METHODS

    rows = []
    for case in cases[:SHEET]:
        made = [runner.look(case.seed, method) for method in METHODS]
        panels = [runner.look(case.seed, "plan"), *made, case.whole.image]
        rows.append((f"{case.seed} · {case.whole.family}", panels))
    return png(drawn(rows, HEADS))


def settings(runner: Runner) -> dict[str, Any]:
    """How the models were sampled, from the prompts themselves, and the version of what made the results."""
    prompt = prompts.whole("", [], 0)
    inputs = prompt[workflow.find(prompt, "Outpaint")]["inputs"]
    sampler, steps = inputs["sampler_name"], inputs["steps"]
    second = prompt[workflow.find(prompt, "ControlNet pass")]["inputs"]["denoise"]
    single = prompts.single_pass_steps(sampler, steps)
    return {
        "sampler": sampler,
        "scheduler": inputs["scheduler"],
        "cfg": inputs["cfg"],
        "steps": {"a1, a2, b": [single], "c": [steps, steps]},
        "denoise": {"a1, a2, b": [inputs["denoise"]], "c": [inputs["denoise"], second]},
        "model calls": {
            "a1, a2, b": prompts.calls(sampler, single),
            "c": 2 * prompts.calls(sampler, steps),
        },
        "version": runner.folder.name,
    }


def words(chosen: dict[str, Any]) -> str:
    """The settings as a paragraph."""
    calls, steps = chosen["model calls"], chosen["steps"]
    alone = "a1, a2, b"
    return (
        f"Sampled with {chosen['sampler']}, {chosen['scheduler']}, guidance {chosen['cfg']:g}: (c) in two "
        f"passes of {steps['c'][0]} steps, {calls['c']} model calls,\nthe second from denoise "
        f"{chosen['denoise']['c'][1]:g}; the others in one pass of {steps[alone][0]} steps, {calls[alone]} "
        "model calls (guidance doubles\nall alike). ImagePadForOutpaint's feathering is 0, so that its mask "
        f"is exactly ours.\nVersion of models, pack and world: {chosen['version']}."
    )


def files_of(
    runner: Runner, cases: list[Case], rows: list[Row], evaluator: Evaluator
) -> tuple[list[tuple[str, bytes]], bool]:
    """The files of the report, and whether the seam ratio reads true."""
    from ..evaluate import bootstrap
    from ..evaluate.main_job import calibration, completion, report
    from ..evaluate.main_job.cases import case as case_of
    from ..evaluate.main_job.metrics import evaluated_truth

    chosen = settings(runner)
    checked = calibration.calibrate(cases)
    legs = [completion.completed(case_of(seed)) for seed in range(COMPLETED_PICTURES)]
    views = evaluator.look([case.whole.image for case in cases])
    truth = [evaluated_truth(case, seen) for case, seen in zip(cases, views, strict=True)]
    page = report.report(rows, truth, checked, legs, words(chosen), bootstrap.RESAMPLES)
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    data = f'{{"settings": {json.dumps(chosen)},\n "rows": [\n  {lines}\n ]}}\n'
    files = [("quality.md", page.encode()), (DATA, data.encode())]
    return [*files, ("pictures/quality.png", sheet(runner, cases))], checked.holds


def measure_all(options: argparse.Namespace, environment: Environment) -> list[str]:
    """Run, measure, hold against the committed figures and write; returns what is wrong, a sentence each."""
    import torch

    from ..evaluate.main_job.cases import SEEDS
    from ..evaluate.main_job.cases import case as case_of
    from ..evaluate.main_job.statistics import METHODS, fallen

    torch.set_num_threads(1)  # Small pictures: the threads would only wait for each other.
    cases = [case_of(seed) for seed in SEEDS[: options.pictures]]
    evaluator = load_evaluator()  # Before the long part: without an evaluator nothing can be told in the end.
    runner = make(environment, cases, teller(len(cases)))
    rows = measure(runner, cases, list(METHODS), evaluator)
    wrong = fallen(rows, committed_rows(RESULTS / DATA))
    files, holds = files_of(runner, cases, rows, evaluator)
    if not holds:
        wrong.append("The seam ratio does not tell a planted step from a picture that was never cut.")
    whole = len(cases) == len(SEEDS)
    commits = whole and (options.accept or not wrong)
    for name, content in files:
        target = (RESULTS if name == DATA else DOCS) if commits else options.out
        print(*saving.save(target, [(name, content)], overwrite=True))
    return wrong


def main(arguments: list[str], environment: Environment) -> int:
    """Measure everything; the status is 0 only when no figure of ours fell behind the committed one."""
    options = parser().parse_args(arguments)

    def work() -> int:
        saving.prepare(options.out)
        wrong = measure_all(options, environment)
        for sentence in wrong:
            ending.tell("quality", sentence)
        return ending.FAILED if wrong and not options.accept else 0

    return ending.status_of("quality", work, "what is done is kept, run it again to go on")
