"""Words that are found in a photo by the double blocks of Flux, beside the picture and its prompt."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from recompose.core.attention.concepts import BACKGROUND
from recompose.core.shapes import Size
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.attention.clips import Clip
from torch import Tensor

TEXT = "a dog beside a red ball on a beach"
HEADS = 2


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.joint("Flux")


@pytest.fixture(scope="module")
def clip(comfy: ModuleType) -> Clip:
    return Clip("Flux", 16)


@pytest.fixture(scope="module")
def concepts(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.attention.concepts")


def photo(rows: int = 2, height: int = 16, width: int = 16) -> Tensor:
    return torch.randn(rows, 16, height, width, generator=torch.Generator().manual_seed(8))


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


def heads_of(attention: Any, x: Tensor) -> list[Tensor]:
    """Queries, keys and values B,heads,tokens,width; queries and keys of length one by their own scales."""
    q, k, v = attention.qkv(x).chunk(3, -1)
    q, k, v = (each.unflatten(-1, (HEADS, -1)).transpose(1, 2) for each in (q, k, v))
    rms = torch.finfo(torch.float32).eps
    scales = attention.norm.query_norm.weight, attention.norm.key_norm.weight
    q, k = (
        each * torch.rsqrt(each.square().mean(-1, keepdim=True) + rms) * scale
        for each, scale in zip((q, k), scales, strict=True)
    )
    return [q, k, v]


def turned(x: Tensor, ids: Tensor, axes: list[int], theta: float) -> Tensor:
    """Pairs of channels turned by the angles of a token's places, B,heads,tokens,width."""
    angles = torch.cat(
        [
            ids[:, :, [axis]] * theta ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
            for axis, width in enumerate(axes)
        ],
        -1,
    )[:, None]
    even, odd = x[..., ::2].double(), x[..., 1::2].double()
    pairs = [even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()]
    return torch.stack(pairs, -1).flatten(-2).float()


def attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    weights = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1)
    return (weights @ v).transpose(1, 2).flatten(2)


def written_out(net: Any, given: dict[str, Any], states: Tensor) -> list[Tensor]:
    """Scores of concepts (B,concepts,tokens) after each double block of a Flux, every stream by hand."""
    embedding = importlib.import_module("comfy.ldm.flux.layers").timestep_embedding
    x, theta, axes = given["x"], float(net.params.theta), net.params.axes_dim
    img, ids = net.process_img(x)
    img, txt, con = net.img_in(img), net.txt_in(given["context"]), net.txt_in(states).expand(len(x), -1, -1)
    shared = net.time_in(embedding(given["timestep"], 256)) + net.guidance_in(
        embedding(given["guidance"], 256)
    )
    of_prompt, of_concepts = (
        (shared + net.vector_in(pooled))[:, None] for pooled in (given["y"], torch.zeros_like(given["y"]))
    )
    zeros = [torch.zeros(len(x), each.shape[1], 3) for each in (txt, con)]
    found = []
    for block in net.double_blocks:
        mods = {}
        for name, vec, mod in (
            ("img", of_prompt, block.img_mod), ("txt", of_prompt, block.txt_mod),
            ("con", of_concepts, block.txt_mod),
        ):  # fmt: skip
            mods[name] = mod.lin(F.silu(vec)).chunk(6, -1)
        streams = {"img": (img, block.img_attn, ids), "txt": (txt, block.txt_attn, zeros[0])}
        streams["con"] = (con, block.txt_attn, zeros[1])
        qkv = {}
        for name, (stream, attention, places) in streams.items():
            q, k, v = heads_of(attention, modulated(stream, *mods[name][:2]))
            qkv[name] = [turned(q, places, axes, theta), turned(k, places, axes, theta), v]
        joint = [torch.cat(each, 2) for each in zip(qkv["txt"], qkv["img"], strict=True)]
        outputs = attended(*joint)
        own = [torch.cat(each, 2) for each in zip(qkv["con"], qkv["img"], strict=True)]
        of_con = attended(qkv["con"][0], own[1], own[2])
        of_txt, of_img = outputs[:, : txt.shape[1]], outputs[:, txt.shape[1] :]
        found.append(torch.einsum("bmc,bnc->bmn", of_con, of_img))
        after = []
        for name, output, attention, mlp in (
            ("img", of_img, block.img_attn, block.img_mlp), ("txt", of_txt, block.txt_attn, block.txt_mlp),
            ("con", of_con, block.txt_attn, block.txt_mlp),
        ):  # fmt: skip
            stream = streams[name][0] + mods[name][2] * attention.proj(output)
            after.append(stream + mods[name][5] * mlp(modulated(stream, *mods[name][3:5])))
        img, txt, con = after
    return found


def watched(model: Any, seen: list[dict[str, Any]]) -> Any:
    """A MODEL whose calls of the network are listed."""
    names = ("x", "timestep", "context", "y", "guidance")

    def keep(executor: Any, *given: Any, **named: Any) -> Tensor:
        out = executor(*given, **named)
        seen.append({**dict(zip(names, given, strict=False)), "out": out})
        return out

    model = model.clone()
    kinds = importlib.import_module("comfy.patcher_extension").WrappersMP
    model.add_wrapper_with_key(kinds.DIFFUSION_MODEL, "watched", keep)
    return model


def test_scores_are_those_of_the_block_written_out(
    world: models.World, clip: Clip, concepts: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each layer, and the image is bit for bit what it is without concepts."""
    made: list[Any] = []
    plain = concepts.Concepts

    def kept(*given: Any) -> Any:
        made.append(plain(*given))
        return made[-1]

    monkeypatch.setattr(concepts, "Concepts", kept)
    seen: list[dict[str, Any]] = []
    model = watched(world.model, seen)
    concepts.concept_maps(model, clip, photo(), ["dog", "red ball"], TEXT, "", 3, "Word Mask")
    (call,), (passing,) = seen, made
    names = ["dog", "red ball", *BACKGROUND]
    states = concepts.states_of(world.model, clip, names, "x")
    net = world.model.model.diffusion_model
    with torch.inference_mode():
        expected = written_out(net, call, states)
    assert len(passing.scores) == len(expected) == 2
    for found, reference in zip(passing.scores, expected, strict=True):
        assert found.shape == (2, len(names), 64)
        assert (found - reference).abs().max() < 1e-5 * reference.abs().max()
    assert float(call["guidance"][0]) == 3.5
    assert torch.equal(call["out"], once(net, call))


def once(net: Any, call: dict[str, Any]) -> Tensor:
    """The network's own answer to a call."""
    with torch.inference_mode():
        given = [call[name] for name in ("x", "timestep", "context", "y", "guidance")]
        return net(*given, transformer_options={})


def test_one_call_at_the_middle_of_the_schedule(
    world: models.World, clip: Clip, concepts: ModuleType
) -> None:
    seen: list[dict[str, Any]] = []
    concepts.concept_maps(watched(world.model, seen), clip, photo(), ["dog"], TEXT, "", 3, "x")
    sigma = float(world.model.get_model_object("model_sampling").percent_to_sigma(0.5))
    (call,) = seen
    assert call["timestep"].tolist() == pytest.approx([sigma, sigma]) and 0.4 < sigma < 0.9
    assert torch.equal(call["context"][:1], clip.encode_from_tokens_scheduled(clip.tokenize(TEXT))[0][0])


def test_the_first_token_of_each_word_encoded_alone(
    world: models.World, clip: Clip, concepts: ModuleType
) -> None:
    states = concepts.states_of(world.model, clip, ["dog", "red ball"], "x")
    assert states.shape == (1, 2, 16)
    assert [clip.spelled(states[0, [at]]) for at in range(2)] == ["dog", "red"]


@pytest.mark.parametrize("size", [(16, 16), (13, 9), (8, 24)], ids=str)
def test_maps_have_the_latent_s_size_and_one_scale(
    size: tuple[int, int], world: models.World, clip: Clip, concepts: ModuleType
) -> None:
    found = concepts.concept_maps(world.model, clip, photo(2, *size), ["dog", "ball"], TEXT, "", 3, "x")
    assert found.shape == (2, 2, *size) and found.min() >= 0 and found.max() <= 1
    alone = concepts.concept_maps(world.model, clip, photo(2, *size)[1:], ["dog", "ball"], TEXT, "", 3, "x")
    assert (found[1] - alone[0]).abs().max() < 1e-3  # one noise for all rows


def test_each_place_is_shared_among_words_and_background(
    world: models.World, clip: Clip, concepts: ModuleType
) -> None:
    words = ["dog", *BACKGROUND]
    found = concepts.concept_maps(world.model, clip, photo(), words, TEXT, "", 3, "x")
    assert found.amin((1, 2, 3)).tolist() == pytest.approx([0, 0], abs=1e-6)
    assert found.amax((1, 2, 3)).tolist() == pytest.approx([1, 1], abs=1e-6)
    total = found.sum(1)  # of shares that add up to 1
    assert (total - total.mean((-2, -1), keepdim=True)).abs().max() < 1e-3
    one = concepts.concept_maps(world.model, clip, photo(), ["dog"], TEXT, "", 3, "x")
    assert (one[:, 0] - found[:, 0]).abs().max() < 1e-5
    twice = concepts.concept_maps(world.model, clip, photo(), ["dog", "dog#2"], TEXT, "", 3, "x")
    assert torch.equal(twice[:, 0], twice[:, 1]) and torch.equal(twice[:, :1], one)


def test_layers_that_are_asked_for(world: models.World, clip: Clip, concepts: ModuleType) -> None:
    maps = {text: concepts.concept_maps(world.model, clip, photo(), ["dog"], TEXT, text, 3, "x")
            for text in ("", "0-1", "double", "0", "1")}  # fmt: skip
    assert torch.equal(maps[""], maps["0-1"]) and torch.equal(maps[""], maps["double"])
    assert not torch.equal(maps["0"], maps["1"])
    for text, sentence in (
        ("5-", 'layers "5-" names none of the model.s double blocks 0 to 1'),
        ("x", "cannot"),
    ):
        with pytest.raises(ValueError, match=sentence):
            concepts.concept_maps(world.model, clip, photo(), ["dog"], TEXT, text, 3, "Word Mask")


def test_the_last_four_of_19_blocks(concepts: ModuleType, world: models.World) -> None:
    model = world.model.clone()
    other = models.joint("Flux").model.model.diffusion_model
    other.double_blocks = torch.nn.ModuleList([torch.nn.Identity() for _ in range(19)])
    model.add_object_patch("diffusion_model", other)
    assert concepts.chosen_layers(model, "", "x") == [15, 16, 17, 18]


def test_beside_patches_of_other_nodes(world: models.World, clip: Clip, concepts: ModuleType) -> None:
    """They still make the picture; concepts follow the picture that they make."""
    seen: list[dict[str, Any]] = []

    def louder(q: Tensor, k: Tensor, v: Tensor, extra_options: dict, **_more: Any) -> dict:
        return {"v": 1.5 * v}

    def through(args: dict, extra: dict) -> dict:
        out = extra["original_block"](args)
        return {**out, "img": 0.9 * out["img"]}

    patched = world.model.clone()
    patched.set_model_attn1_patch(louder)
    patched.set_model_patch_replace(through, "dit", "double_block", 0)
    recorded, records = importlib.import_module("recompose.bridge.attention.recorder").record(
        patched, "all together", "", ""
    )
    found = concepts.concept_maps(watched(recorded, seen), clip, photo(), ["dog"], TEXT, "", 3, "x")
    expected: list[dict[str, Any]] = []
    sample = importlib.import_module("comfy.sample")
    prompt = clip.encode_from_tokens_scheduled(clip.tokenize(TEXT))
    with torch.inference_mode():
        sample.sample_custom(
            watched(patched, expected), sample.prepare_noise(photo(), 3, [0, 0]), 1.0,
            importlib.import_module("comfy.samplers").sampler_object("euler"),
            torch.tensor([float(seen[0]["timestep"][0]), 0.0]), prompt, prompt, photo(), disable_pbar=True,
            seed=3,
        )  # fmt: skip
    assert torch.equal(seen[0]["out"], expected[0]["out"])
    assert not torch.equal(
        found, concepts.concept_maps(world.model, clip, photo(), ["dog"], TEXT, "", 3, "x")
    )
    assert all(part.count == len(part.layers) for part in records.held[0].prompts[0].parts)


def test_a_patch_that_skips_blocks_is_told(world: models.World, clip: Clip, concepts: ModuleType) -> None:
    patched = world.model.clone()
    patched.set_model_patch_replace(
        lambda args, extra: {"img": args["img"], "txt": args["txt"]}, "dit", "double_block", 1
    )
    with pytest.raises(ValueError, match="x: another patch of the model skips double blocks"):
        concepts.concept_maps(patched, clip, photo(), ["dog"], TEXT, "", 3, "x")


def test_a_broken_model_is_told(world: models.World, clip: Clip, concepts: ModuleType) -> None:
    patched = world.model.clone()
    patched.set_model_attn1_patch(lambda q, k, v, **_more: {"v": v / 0})
    with pytest.raises(ValueError, match="x: the model's attention holds NaN or infinite values"):
        concepts.concept_maps(patched, clip, photo(), ["dog"], TEXT, "", 3, "x")


def test_the_clip_of_another_model_is_refused(world: models.World, concepts: ModuleType) -> None:
    with pytest.raises(ValueError, match="CLIP's states are 24 wide but the model's are 16; connect"):
        concepts.concept_maps(world.model, Clip("Flux", 24), photo(), ["dog"], TEXT, "", 3, "x")


def test_bad_latents_and_texts_are_refused(world: models.World, clip: Clip, concepts: ModuleType) -> None:
    class Broken(Clip):
        def encode_from_tokens_scheduled(self, tokens: Any) -> list:
            ((states, extra),) = super().encode_from_tokens_scheduled(tokens)
            return [[states / 0, extra]]

    broken, other = photo(), torch.zeros(1, 4, 16, 16)
    broken[0, 0, 0, 0] = torch.nan
    for samples, encoder, sentence in (
        (other, clip, "x: the latent is a picture's with 4 channels but the model takes a picture's with 16"),
        (broken, clip, "x: the encoded picture holds NaN"),
        (photo(), Broken("Flux", 16), "x: the encoded text"),
    ):
        with pytest.raises(ValueError, match=sentence):
            concepts.concept_maps(world.model, encoder, samples, ["dog"], TEXT, "", 3, "x")


def test_which_models_have_concepts(world: models.World, concepts: ModuleType) -> None:
    assert concepts.has_concepts(world.model)
    assert not any(
        concepts.has_concepts(models.joint(name).model) for name in ("SD3", "Qwen-Image", "Z-Image")
    )
    assert not concepts.has_concepts(models.unet().model)


def test_masks_and_maps_of_each_word_row_by_row(
    world: models.World, clip: Clip, concepts: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    size, words = Size(120, 128), ["dog", "ball"]
    maps = concepts.concept_maps(world.model, clip, photo(), words, TEXT, "", 3, "x")
    core = importlib.import_module("recompose.core.attention.maps")
    for threshold in (0.0, 0.3):
        caplog.clear()
        made = concepts.concept_masks(
            world.model, clip, photo(), words, TEXT, size, threshold, "", 3, "Word Mask"
        )
        assert len(made) == 4
        for number, (mask, shown) in enumerate(made):
            values = maps[number // 2, number % 2]
            level = threshold or core.otsu(values)
            assert torch.equal(shown, core.scaled(values[None], size)[0]) and shown.shape == (128, 120)
            assert torch.equal(mask, core.mask_of(values, size, level))
            assert ("nothing in picture" in caplog.text) or level is not None
