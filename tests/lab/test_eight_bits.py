"""The rule by which weights are stored in 8 bits: torch's own quantisation, exact arithmetic, its bounds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from recompose.lab.toy import table
from recompose.lab.toy.models import eight_bits, parts
from safetensors.torch import load_file, save_file
from torch import Tensor

SMALLEST = 2.0**-24  # in fp16; the largest is 65504
SHAPES = {"linear": (5, 7), "convolution": (6, 3, 3, 3), "one row": (1, 11, 4), "one column": (9, 1)}


def drawn(*shape: int, seed: int = 0, spread: float = 0.05) -> Tensor:
    return spread * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def held(weight: Tensor) -> tuple[Tensor, Tensor]:
    """The int8 numbers and the scales that a file holds of one tensor."""
    found = eight_bits.stored({"a": weight})
    assert sorted(found) == ["a", f"a{eight_bits.SUFFIX}"]
    return found["a"], found[f"a{eight_bits.SUFFIX}"]


def back(weight: Tensor) -> Tensor:
    return eight_bits.restored(eight_bits.stored({"a": weight}))["a"]


def hard() -> dict[str, Tensor]:
    """Weights at fp16's ends, between two steps, and all in one tensor."""
    generator = torch.Generator().manual_seed(2)
    bits = torch.randint(0, 0x7C00, (300, 40), generator=generator, dtype=torch.int32).to(torch.int16)
    anything = bits.view(torch.float16).float()
    tiny = SMALLEST * torch.randint(-300, 301, (300, 40), generator=generator).float()
    tiny *= torch.arange(300)[:, None] / 300
    ties = torch.tensor([[127.0, 0.5, 1.5, 2.5, -0.5, -1.5], [3.0, 1.5, -1.5, 0.0, 0.0, 0.0]])
    ends = torch.tensor([[SMALLEST, 0.0], [-SMALLEST, SMALLEST], [65504.0, SMALLEST], [-65504.0, 3e4]])
    return {"anything": anything, "tiny": tiny, "ties": ties, "ends": ends, "drawn": drawn(64, 48, 3, 3)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_it_is_torchs_quantisation_of_each_channel(shape: tuple[int, ...]) -> None:
    weight = drawn(*shape, seed=1).half()
    levels, scale = held(weight)
    assert levels.dtype == torch.int8 and scale.dtype == torch.float32
    assert torch.equal(scale, weight.float().abs().amax(tuple(range(1, weight.dim()))) / 127)
    zeros = torch.zeros(len(scale), dtype=torch.int64)
    theirs = torch.quantize_per_channel(weight.float(), scale.double(), zeros, 0, torch.qint8)
    # torch multiplies by 1 / scale in fp32, which may fall on the other side of a half.
    quotient = weight.double() / scale.double().view(-1, *[1] * (weight.dim() - 1))
    sure = (quotient - quotient.floor() - 0.5).abs() > 1e-4
    assert torch.equal(levels[sure], theirs.int_repr()[sure]) and sure.float().mean() > 0.9
    assert torch.equal(back(weight)[sure], theirs.dequantize().half()[sure])


@pytest.mark.parametrize("name", hard())
def test_numbers_are_the_nearest_in_exact_arithmetic_and_halves_go_to_even(name: str) -> None:
    weight = hard()[name][:40].half()
    levels, scale = held(weight)
    for row, found, step in zip(weight.flatten(1).tolist(), levels.flatten(1).tolist(), scale, strict=True):
        exact = Fraction(float(step))
        assert found == [round(Fraction(value) / exact) for value in row]


@pytest.mark.parametrize("name", hard())
def test_no_weight_is_off_by_more_than_half_a_step_and_the_largest_by_nothing(name: str) -> None:
    weight = hard()[name]
    half = weight.half()
    levels, scale = held(weight)
    step = scale.double().view(-1, *[1] * (weight.dim() - 1))
    exact = levels.double() * step
    assert ((half.double() - exact).abs() <= step / 2 * (1 + 1e-12)).all()
    # What comes back is rounded to fp16, to 11 digits in base 2 or to the smallest number.
    found = back(weight).double()
    assert ((found - exact).abs() <= (exact.abs() * 2**-11).clamp(min=SMALLEST / 2) * (1 + 1e-6)).all()
    largest = half.abs() == half.abs().flatten(1).amax(1).view(step.shape)
    assert torch.equal(found[largest], half.double()[largest]) and torch.isfinite(found).all()


@pytest.mark.parametrize("name", hard())
def test_what_was_restored_is_stored_as_the_same_numbers(name: str) -> None:
    once = eight_bits.stored({"a": hard()[name]})
    again = eight_bits.stored(eight_bits.restored(once))
    assert all(torch.equal(once[key], again[key]) for key in once) and once.keys() == again.keys()


def test_channels_of_zeros_stay_zero_beside_others() -> None:
    weight = drawn(4, 3, 2, 2)
    weight[1] = 0
    weight[3] = -0.0
    levels, scale = held(weight)
    assert scale.tolist()[1::2] == [1, 1] and not levels[1].any() and not levels[3].any()
    assert not back(weight)[1].any() and back(weight)[0].any()


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (2, 0, 3, 3), (0, 0)])
def test_tensors_without_weights_keep_their_shape(shape: tuple[int, ...]) -> None:
    levels, scale = held(torch.zeros(shape))
    assert levels.shape == shape and scale.shape == shape[:1]
    assert back(torch.zeros(shape)).shape == shape


def test_the_first_dimension_of_a_transposed_convolution_has_the_scales() -> None:
    layer = torch.nn.ConvTranspose2d(3, 5, 4)
    with torch.no_grad():
        layer.weight[2] *= 1000
    levels, scale = held(layer.weight.detach())
    assert levels.shape == (3, 5, 4, 4) and scale.shape == (3,)
    assert levels.abs().flatten(1).amax(1).tolist() == [127, 127, 127]


def test_memory_order_does_not_count() -> None:
    weight = drawn(4, 3, 5, 5)
    last = weight.contiguous(memory_format=torch.channels_last)
    assert torch.equal(held(last)[0], held(weight)[0]) and held(last)[0].is_contiguous()


def test_all_else_is_stored_in_half_precision() -> None:
    others = {
        "bias": drawn(7),
        "running_var": drawn(7).abs() + 1e-3,
        "vae_scale": torch.tensor(0.2),
        "num_batches_tracked": torch.tensor(1234),
        "position_ids": torch.arange(77)[None],
    }
    found = eight_bits.stored(others)
    assert found.keys() == others.keys()
    assert all(torch.equal(found[key], value.half()) for key, value in others.items())
    assert all(torch.equal(value, found[key]) for key, value in eight_bits.restored(found).items())
    assert torch.equal(found["position_ids"].long(), others["position_ids"])


def test_a_key_that_looks_like_a_scales_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"do not end with \.int8_scale, got a\.int8_scale; rename"):
        parts.write(tmp_path, "evaluator", {"a": drawn(2, 3), "a.int8_scale": drawn(2)}, {})
    assert list(tmp_path.iterdir()) == []


def test_the_file_itself_says_what_is_quantised(tmp_path: Path) -> None:
    path = parts.write(tmp_path, "vae", {"a.weight": drawn(4, 9), "a.bias": drawn(4)}, {"steps": 3})
    found = load_file(path)
    assert {key: value.dtype for key, value in found.items()} == {
        "first_stage_model.a.weight": torch.int8,
        "first_stage_model.a.weight.int8_scale": torch.float32,
        "first_stage_model.a.bias": torch.float16,
    }
    weights, notes = parts.read(tmp_path, "vae")
    assert sorted(weights) == ["first_stage_model.a.bias", "first_stage_model.a.weight"]
    assert {value.dtype for value in weights.values()} == {torch.float16} and notes == {"steps": "3"}
    largest = found["first_stage_model.a.weight"].numpy().astype(np.int64)
    assert (np.abs(largest).max(1) == 127).all()


def test_files_of_half_precision_are_read_as_they_are(tmp_path: Path) -> None:
    old = {"a.weight": drawn(4, 9).half(), "a.bias": drawn(4).half(), "a.count": torch.tensor(5).half()}
    save_file(old, tmp_path / "evaluator.safetensors", {"steps": "3"})
    weights, notes = parts.read(tmp_path, "evaluator")
    assert weights.keys() == old.keys() and notes == {"steps": "3"}
    assert all(
        torch.equal(value, weights[key]) and value.dtype == torch.float16 for key, value in old.items()
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"a.int8_scale": None}, "a has no scales"),
        ({"a": None}, r"a\.int8_scale has no int8 tensor"),
        ({"a": torch.zeros(3, 4, dtype=torch.float16)}, r"a\.int8_scale has no int8 tensor"),
        ({"a.int8_scale": torch.ones(3, dtype=torch.float16)}, "another type or shape"),
        ({"a.int8_scale": torch.ones(4)}, "another type or shape"),
        ({"a.int8_scale": torch.ones(1)}, "another type or shape"),
        ({"a.int8_scale": torch.ones(3, 1)}, "another type or shape"),
        ({"a.int8_scale": torch.tensor(1.0)}, "another type or shape"),
        ({"a": torch.zeros(3, dtype=torch.int8)}, "another type or shape"),
        ({"a": torch.tensor(1, dtype=torch.int8)}, "another type or shape"),
        ({"a.int8_scale": torch.tensor([1.0, 0.0, 1.0])}, "no positive numbers"),
        ({"a.int8_scale": torch.tensor([1.0, -1.0, 1.0])}, "no positive numbers"),
        ({"a.int8_scale": torch.tensor([1.0, torch.nan, 1.0])}, "no positive numbers"),
        ({"a.int8_scale": torch.tensor([1.0, torch.inf, 1.0])}, "no positive numbers"),
        ({"a.int8_scale": torch.tensor([1.0, 600.0, 1.0])}, "no positive numbers"),
    ],
)
def test_scales_that_do_not_fit_are_called_damage(
    tmp_path: Path, change: dict[str, Tensor | None], words: str
) -> None:
    good = {"a": torch.full((3, 4), 127, dtype=torch.int8), "a.int8_scale": torch.ones(3)}
    path = tmp_path / "evaluator.safetensors"
    save_file(good, path)
    assert torch.equal(parts.read(tmp_path, "evaluator")[0]["a"], torch.full((3, 4), 127.0).half())
    save_file({key: value for key, value in (good | change).items() if value is not None}, path)
    with pytest.raises(
        RuntimeError, match=rf"evaluator\.safetensors is damaged \(.*{words}.*\); check it out"
    ):
        parts.read(tmp_path, "evaluator")


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed parts, stored by the rule."""
    folder = tmp_path_factory.mktemp("parts")
    for name, model in table.MODELS.items():
        weights, _ = parts.read(parts.FOLDER, name)
        own = {key.removeprefix(model.prefix): value for key, value in weights.items()}
        parts.write(folder, name, own, {"steps": 7, "seconds": 12, "loss": 0.5})
    return folder


def test_a_part_that_was_read_is_written_as_the_same_bytes(again: Path, tmp_path: Path) -> None:
    for name, model in table.MODELS.items():
        weights, _ = parts.read(again, name)
        own = {key.removeprefix(model.prefix): value for key, value in weights.items()}
        notes = {"loss": 0.5, "seconds": 12, "steps": 7}  # whatever order they come in
        path = parts.write(tmp_path, name, own, notes)
        assert path.read_bytes() == (again / path.name).read_bytes(), name


def test_the_committed_models_take_half_the_room_and_keep_their_weights(
    comfy: ModuleType, again: Path
) -> None:
    for name, model in table.MODELS.items():
        weights, _ = parts.read(parts.FOLDER, name)
        found, _ = parts.read(again, name)
        assert found.keys() == weights.keys()
        numbers = sum(value.numel() for value in weights.values())
        assert (again / model.file).stat().st_size < 1.2 * numbers
        for key, value in weights.items():
            assert found[key].dtype == torch.float16 and found[key].shape == value.shape
            if value.dim() < 2:
                assert torch.equal(found[key], value), key
        parts.load(model.build(), again, name)
