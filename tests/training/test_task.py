"""A training that is stopped goes on as if nothing had happened, also inside a model that ComfyUI loaded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from recompose.training import checkpoints
from recompose.training.loop import TrainConfig
from recompose.training.networks import freeze, learned, leave_inference, normal_batch, train_only
from recompose.training.task import Progress, Task, train
from torch import Tensor, nn

CONFIG = TrainConfig(steps=12, learning_rate=0.05, warmup=3)


class Batches:
    """Endless random batches that can go on where they were."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(3)

    def __iter__(self) -> Iterator[Tensor]:
        while True:
            yield torch.randn(5, 2, generator=self.generator)

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.generator.set_state(state["generator"])


def task() -> Task:
    """A network with batch statistics and dropout behind a head that is trained along and not kept."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.2), nn.Linear(4, 2))
    network[0].bias.requires_grad_(False)
    head = nn.Linear(2, 1)
    torch.manual_seed(2)
    return Task({"net": network}, lambda x: (head(network(x)) - x[:, :1]).square().mean(), Batches(), [head])


class Kept:
    """What was saved, in order."""

    def __init__(self) -> None:
        self.saved: list[tuple[str, dict[str, Tensor], Progress]] = []

    def __call__(self, name: str, weights: Mapping[str, Tensor], progress: Progress) -> None:
        self.saved.append((name, {key: value.clone() for key, value in weights.items()}, progress))


def finish(state: Path | None, stop: int | None = None, save_seconds: float = 1e9) -> tuple[list, Kept, Task]:
    """Run to the end or stop after some steps; the losses, what was saved, and the task."""
    kept, made = Kept(), task()
    reports = train(made, CONFIG, kept, 0.9, save_seconds, state)
    losses = [report.loss for report in itertools.islice(reports, stop)]
    reports.close()
    return losses, kept, made


@pytest.mark.parametrize("stop", [1, 5, 11])
def test_a_stopped_training_goes_on_as_if_nothing_had_happened(tmp_path: Path, stop: int) -> None:
    expected, whole, _ = finish(None)
    first, _, _ = finish(tmp_path / "state", stop, save_seconds=-1)
    # The state was written before the last report, so nothing that was reported is done again.
    rest, kept, _ = finish(tmp_path / "state")
    assert first + rest == expected and len(rest) == CONFIG.steps - stop
    assert kept.saved[-1][2].steps == CONFIG.steps
    assert kept.saved[-1][2].loss == pytest.approx(sum(expected) / len(expected))
    for name, value in whole.saved[-1][1].items():
        assert torch.equal(kept.saved[-1][1][name], value), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]
    again, nothing, _ = finish(tmp_path / "state")
    assert again == [] and nothing.saved == []


def test_a_paused_training_saves_and_the_same_call_goes_on(tmp_path: Path) -> None:
    expected, _, _ = finish(None)
    kept, losses = Kept(), []
    for _ in range(CONFIG.steps):
        paused = train(task(), CONFIG, kept, 0.9, 1e9, tmp_path / "state", pause_seconds=0)
        losses += [report.loss for report in paused]
        assert kept.saved[-1][2].steps == len(losses)
    assert losses == expected
    assert not list(train(task(), CONFIG, kept, 0.9, 1e9, tmp_path / "state", pause_seconds=0))


def test_a_state_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(tmp_path / "state", 3, save_seconds=-1)
    before = (tmp_path / "state").read_bytes()

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        finish(tmp_path / "state", 1, save_seconds=-1)
    assert (tmp_path / "state").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


@pytest.mark.parametrize("content", [b"", b"no state", None])
def test_another_file_is_no_state(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "state"
    torch.save({"format": 0}, path) if content is None else path.write_bytes(content)
    with pytest.raises(RuntimeError, match="remove it to begin anew"):
        finish(path)


def test_the_state_of_another_training_is_refused(tmp_path: Path) -> None:
    finish(tmp_path / "state", 2, save_seconds=-1)
    other = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="it is of another"):
        list(
            train(
                Task({"net": other}, lambda x: other(x).mean(), Batches()),
                CONFIG,
                Kept(),
                state=tmp_path / "state",
            )
        )


def test_only_what_learns_is_kept() -> None:
    _, kept, made = finish(None)
    names = set(kept.saved[-1][1])
    assert "0.bias" not in names and {"0.weight", "1.running_mean", "3.bias"} <= names
    assert set(learned(made.networks["net"])) == names


class Pair(NamedTuple):
    """A batch of two."""

    first: Tensor
    second: Tensor


def test_a_batch_made_in_inference_mode_becomes_a_normal_one() -> None:
    with torch.inference_mode():
        made, other = torch.ones(2), torch.zeros(3)
    plain = torch.ones(1)
    found = normal_batch({"pair": Pair(made, plain), "list": [other, 3], "name": "x"})
    assert isinstance(found["pair"], Pair) and found["pair"].second is plain
    for tensor in (found["pair"].first, found["list"][0]):
        assert not tensor.is_inference()
    assert found["list"][1:] == [3] and found["name"] == "x" and torch.equal(found["pair"].first, made)


class Model(nn.Module):
    """A loaded model: an encoder in front of a part that is to learn; their tables are one."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Embedding(7, 4)
        self.part = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 7, bias=False))
        self.part[2].weight = self.encoder.weight
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.part(self.encoder(x)) * self.scale


def test_a_part_of_a_model_loaded_in_inference_mode_learns_and_the_rest_stays() -> None:
    with torch.inference_mode():  # as ComfyUI loads models and runs its nodes
        model = Model()
        assert model.encoder.weight.is_inference()
        names = train_only(model, lambda name: name.startswith("part.0"))
        assert names == ["part.0.weight", "part.0.bias"]
        assert train_only(model, lambda name: name == "part.2.weight") == ["encoder.weight", "part.2.weight"]
        assert train_only(model, lambda name: name.startswith("part.0")) == names
        assert model.part[2].weight is model.encoder.weight and not model.scale.is_inference()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        words = [torch.tensor([1, 2, 3])] * 30

        def loss(x: Tensor) -> Tensor:
            return nn.functional.cross_entropy(model(x), x)

        kept = Kept()
        reports = list(train(Task({"model": model}, loss, words), TrainConfig(30, 0.05, warmup=1), kept, 0.5))
        assert torch.is_inference_mode_enabled()
        assert reports[-1].loss < 0.5 * reports[0].loss
        changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == set(names)
    assert set(kept.saved[-1][1]) == {*names, "scale"}


def test_gradients_are_left_off_between_the_steps() -> None:
    with torch.inference_mode():
        reports = train(task(), CONFIG, Kept())
        next(reports)
        assert torch.is_inference_mode_enabled() and not torch.is_grad_enabled()
        reports.close()


def test_nothing_to_train_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one parameter to train, got none"):
        train_only(Model(), lambda name: name.startswith("unet"))


def test_a_frozen_network_has_no_gradients() -> None:
    assert not [value for value in freeze(Model()).parameters() if value.requires_grad]
    assert leave_inference(Model()).encoder.weight.requires_grad


def test_weights_that_are_no_numbers_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.safetensors"
    checkpoints.save_weights(path, {"a": torch.ones(2)}, {"steps": "3"})
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="finite weights but b is not"):
        checkpoints.save_weights(path, {"a": torch.ones(2), "b": torch.tensor([float("nan")])})
    assert path.read_bytes() == before and [each.name for each in path.parent.iterdir()] == [path.name]
