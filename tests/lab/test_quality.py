"""`cli quality` without a real server: the prompts compared, the resuming, and the exit status."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from recompose.cli.comfy import workflow
from recompose.cli.comfy.client import ServerError
from recompose.cli.comfy.jobs import fingerprint
from recompose.lab import version as versions
from recompose.lab.commands import quality
from recompose.lab.evaluate.evaluator import Evaluator
from recompose.lab.evaluate.main_job import cases, prompts
from recompose.lab.evaluate.main_job import run as quality_runs
from recompose.lab.evaluate.main_job.statistics import METHODS
from recompose.lab.toy import prompt as toy

PADDING = [0, 0, 0, 40]
CASE = cases.case(1)


def built(build) -> dict:
    return build("p.png", CASE.cropped.pose, CASE.seed, "a caption", PADDING)


def classes(prompt: dict) -> list[str]:
    return sorted(node["class_type"] for node in prompt.values())


def samplers(prompt: dict) -> list[dict]:
    return [node["inputs"] for node in prompt.values() if node["class_type"] == "KSampler"]


@pytest.mark.parametrize("build", prompts.RUNS, ids=lambda build: build.__name__)
def test_every_method_has_the_same_models_caption_seed_and_sampling(build) -> None:
    prompt = built(build)
    workflow.check(prompt, Path("prompt"))
    whole = prompts.whole("p.png", CASE.cropped.pose, CASE.seed)
    first, expected = samplers(prompt)[0], samplers(whole)[0]
    same = ("seed", "cfg", "sampler_name", "scheduler", "denoise")
    assert [first[name] for name in same] == [expected[name] for name in same]
    texts = {node["inputs"]["text"] for node in prompt.values() if node["class_type"] == "CLIPTextEncode"}
    assert texts == {"a caption", whole[workflow.find(whole, "Negative")]["inputs"]["text"]}
    assert toy.MODELS["checkpoint"] in json.dumps(prompt)
    assert "RecomposeBlipCaption" not in classes(prompt)


def test_the_core_row_uses_core_nodes_only() -> None:
    assert classes(built(prompts.core_nodes)) == sorted(
        [
            "CheckpointLoaderSimple", "CLIPTextEncode", "CLIPTextEncode", "ImageCompositeMasked",
            "ImagePadForOutpaint", "InpaintModelConditioning", "KSampler", "LoadImage", "SaveImage",
            "SaveImage", "VAEDecode",
        ]
    )  # fmt: skip


def test_ours_without_pose_has_no_pose_and_one_pass_on_the_same_canvas() -> None:
    prompt = built(prompts.without_pose)
    assert not {"RecomposeLoadPose", "ControlNetLoader", "RecomposeLimbMask"} & set(classes(prompt))
    assert len(samplers(prompt)) == 1
    extend = prompt[workflow.find(prompt, "Extend Canvas")]["inputs"]
    assert (extend["mode"], extend["mode.bottom"], "pose" in extend) == ("sides", 40, False)


def test_ours_with_pose_is_the_demos_own_prompt_but_for_the_written_caption() -> None:
    prompt = built(prompts.with_pose)
    whole = prompts.whole("p.png", CASE.cropped.pose, CASE.seed)
    different = {identity for identity, node in prompt.items() if node != whole[identity]}
    assert different == {workflow.find(prompt, "Positive")}
    assert len(samplers(prompt)) == 2


@pytest.mark.parametrize(
    ("sampler", "steps", "single"), [("euler", 20, 40), ("dpmpp_2m", 7, 14), ("dpmpp_2s_ancestral", 20, 40)]
)
def test_one_pass_asks_the_model_as_often_as_two(sampler: str, steps: int, single: int) -> None:
    found = prompts.single_pass_steps(sampler, steps)
    assert found == single
    assert 0 <= prompts.calls(sampler, found) - 2 * prompts.calls(sampler, steps) <= 1


def test_nothing_but_the_plan_depends_on_the_captioner() -> None:
    prompt = prompts.plan("p.png", CASE.cropped.pose, CASE.seed)
    assert "RecomposeBlipCaption" in classes(prompt) and "KSampler" not in classes(prompt)


class FakeServer:
    """Answers prompts with pictures that depend on nothing but the prompt; dies after `lives` prompts."""

    def __init__(self, lives: int = 1000) -> None:
        self.lives, self.ran, self.files, self.client = lives, [], {}, self

    def upload(self, path: Path) -> str:
        self.files[path.name] = path.read_bytes()
        return path.name

    def fetch(self, image: dict) -> bytes:
        return self.files[image["filename"]]

    def save(self, name: str, picture: np.ndarray) -> dict:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        self.files[name] = file.getvalue()
        return {"images": [{"filename": name}]}

    def run(self, prompt: dict) -> dict:
        if not self.lives:
            raise ServerError("The private ComfyUI died.")
        self.lives -= 1
        self.ran.append(fingerprint(prompt))
        photo = prompt[workflow.find(prompt, "Photo")]["inputs"]["image"]
        given = np.asarray(Image.open(io.BytesIO(self.files[photo])))
        height, width = given.shape[:2]
        canvas = {"canvas_width": width, "canvas_height": height + 40}
        region = {"x": 0, "y": 0, "width": width, "height": height, **canvas}
        outputs = {}
        for identity, node in prompt.items():
            if node["class_type"] == "SaveImage":
                seed = int(self.ran[-1][:8], 16) + len(outputs)
                picture = np.random.default_rng(seed).integers(0, 255, (height + 40, width, 3), np.uint8)
                outputs[identity] = self.save(f"{self.ran[-1]}{identity}.png", picture)
            elif node["class_type"] == "PreviewImage":
                outputs[identity] = self.save(f"loaded_{photo}", given)
            elif node["class_type"] == "PreviewAny":
                text = "a caption"
                if workflow.title(prompt, identity) == prompts.POSE:
                    text = json.dumps([{"people": [CASE.whole.pose[0]["people"][0]], **canvas}])
                outputs[identity] = {"text": [text]}
            elif workflow.title(prompt, identity) == "Extend Canvas":
                outputs[identity] = {"recompose": [{"padding": PADDING, "region": region}]}
        messages = [["execution_start", {"timestamp": 1000}], ["execution_success", {"timestamp": 3500}]]
        return {"outputs": outputs, "status": {"status_str": "success", "messages": messages}}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("lives", range(1, 8))
def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_rows(tmp_path, lives: int) -> None:
    some = [cases.case(seed) for seed in range(2)]
    whole = quality_runs.Runner(FakeServer(), tmp_path / "whole")
    for case in some:
        whole.make(case, METHODS)
    with pytest.raises(ServerError):
        dying = quality_runs.Runner(FakeServer(lives), tmp_path / "killed")
        for case in some:
            dying.make(case, METHODS)
    server = FakeServer()
    again = quality_runs.Runner(server, tmp_path / "killed")
    for case in some:
        again.make(case, METHODS)
    assert len(server.ran) == 8 - lives
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_another_prompt_is_run_again_and_the_same_is_not(tmp_path, monkeypatch) -> None:
    quality_runs.Runner(FakeServer(), tmp_path).make(CASE, METHODS)
    server = FakeServer()
    quality_runs.Runner(server, tmp_path).make(CASE, METHODS)
    assert server.ran == []
    monkeypatch.setitem(toy.SAMPLING, "cfg", 3.5)
    quality_runs.Runner(server, tmp_path).make(CASE, METHODS)
    assert len(server.ran) == 3


def test_a_failed_prompt_is_told_and_leaves_no_row(tmp_path) -> None:
    server = FakeServer()
    data = {"node_id": "18", "exception_type": "ValueError", "exception_message": "no"}
    failed = {"outputs": {}, "status": {"status_str": "error", "messages": [["execution_error", data]]}}
    server.run = lambda prompt: failed
    runner = quality_runs.Runner(server, tmp_path)
    with pytest.raises(ServerError, match="failed: no"):
        runner.make(CASE, METHODS)
    assert runner.jobs.journal.rows == {}


def test_the_version_follows_the_pack_the_models_and_comfyui() -> None:
    files = {path.as_posix() for path in versions.closure(quality_runs.MAKERS)}
    assert quality_runs.models() == ["captioner", "openpose", "text", "unet", "vae"]
    assert {"lab/toy/model_pack/registration.py", "lab/toy/world/picture.py", "nodes/canvas.py"} <= files
    assert not any(name.startswith("lab/train") for name in files)
    before = quality_runs.version(Path("/comfyui"))
    assert before == quality_runs.version(Path("/comfyui")) != quality_runs.version(Path("/other"))


class FakeEvaluator:
    """Sees the true ankles, or none at all."""

    blind = False

    def look(self, images: list[np.ndarray]) -> list[SimpleNamespace]:
        points = np.ones((24, 3)) * (0 if self.blind else 1)
        return [SimpleNamespace(points=points, feet=0 if self.blind else 2) for _ in images]


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command with a fake server and evaluator and its own docs folder; call it with options."""
    monkeypatch.setattr(quality, "load_evaluator", FakeEvaluator)
    monkeypatch.setattr(FakeEvaluator, "blind", False)
    monkeypatch.setattr(quality, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(quality, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(quality, "COMPLETED_PICTURES", 8)
    monkeypatch.setattr(cases, "SEEDS", tuple(range(6)))

    def make(environment, some, tell):
        runner = quality_runs.Runner(FakeServer(), tmp_path / "made")
        for case in some:
            runner.make(case, METHODS, tell)
        return runner

    monkeypatch.setattr(quality, "make", make)
    return lambda *options: quality.main(["--out", str(tmp_path / "out"), *options], None)


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


PAGES = ["pictures/quality.png", "quality.md"]
FILES = ["pictures/quality.png", "quality.json", "quality.md"]


def test_a_whole_run_writes_the_docs_and_a_second_one_agrees(command, tmp_path) -> None:
    assert command() == 0
    assert written(tmp_path / "docs") == PAGES and written(tmp_path / "out") == []
    assert written(tmp_path / "results") == ["quality.json"]
    rows = json.loads((tmp_path / "results" / "quality.json").read_text())["rows"]
    assert [(row["seed"], row["method"]) for row in rows] == [(s, m) for s in range(6) for m in METHODS]
    assert command() == 0


def test_a_fallen_figure_fails_and_leaves_the_committed_ones(command, tmp_path, monkeypatch, capsys) -> None:
    assert command() == 0
    before = (tmp_path / "results" / "quality.json").read_bytes()
    monkeypatch.setattr(FakeEvaluator, "blind", True)
    assert command() == 1
    assert "c, feet right: 0.000 is worse than the committed" in capsys.readouterr().err
    assert (tmp_path / "results" / "quality.json").read_bytes() == before
    assert written(tmp_path / "out") == FILES
    assert command("--accept") == 0
    assert (tmp_path / "results" / "quality.json").read_bytes() != before
    assert command() == 0


def test_a_part_leaves_the_docs_alone(command, tmp_path) -> None:
    assert command("--pictures", "2") == 0
    assert written(tmp_path / "out") == FILES and not (tmp_path / "docs").exists()
    assert len(json.loads((tmp_path / "out" / "quality.json").read_text())["rows"]) == 8


def test_without_a_judge_nothing_is_begun(tmp_path, monkeypatch, capsys) -> None:
    def missing(folder: Path) -> None:
        raise RuntimeError(f"The demo part {folder}/evaluator.safetensors is missing.")

    monkeypatch.setattr(Evaluator, "load", missing)
    assert quality.main(["--out", str(tmp_path / "out")], None) == 2
    assert "evaluator.safetensors is missing" in capsys.readouterr().err


def test_an_uncalibrated_seam_ratio_fails(command, monkeypatch, capsys) -> None:
    from recompose.lab.evaluate.main_job import calibration

    monkeypatch.setattr(calibration, "planted_step", lambda picture, row: picture)
    assert command() == 1
    assert "does not tell a planted step" in capsys.readouterr().err
