"""Concepts beside what else a MODEL may carry: a LoRA, a ControlNet, little memory."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.concepts.concept import Concept
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.concepts.conftest import WIDTH, Loaded
from torch import Tensor

UNET = "diffusion_model."


@pytest.fixture(scope="module")
def concept(sd1: Loaded) -> Concept:
    generator = torch.Generator().manual_seed(5)
    weights = {
        name.removeprefix(UNET): value + 0.3 * value.std() * torch.randn(value.shape, generator=generator)
        for name, value in sd1.model.model.state_dict().items()
        if name.endswith(("attn2.to_k.weight", "attn2.to_v.weight"))
    }
    return Concept(weights, {"<new1>": {"clip_l": torch.randn(WIDTH, generator=generator)}})


def lora(model: Any) -> Any:
    """A clone with a change of every query, key and output, as a LoRA has."""
    found = model.clone()
    generator = torch.Generator().manual_seed(8)
    found.add_patches(
        {
            name: ("diff", (0.2 * value.std() * torch.randn(value.shape, generator=generator),))
            for name, value in model.model.state_dict().items()
            if name.endswith(("to_q.weight", "to_k.weight", "to_out.0.weight"))
        },
        0.7,
    )
    return found


def predicted(model: Any, words: Tensor) -> Tensor:
    """The clean latent that the network predicts, as it is loaded."""
    x = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        return model.model.apply_model(x, torch.ones(1), c_crossattn=words, transformer_options={})


def test_the_order_of_concept_and_lora_does_not_matter(
    sd1: Loaded, load: ModuleType, concept: Concept
) -> None:
    first, clip = load.applied(lora(sd1.model), sd1.clip, concept, 1.0, "Load Concept")
    second = lora(load.applied(sd1.model, sd1.clip, concept, 1.0, "Load Concept")[0])
    words = clip.encode_from_tokens(clip.tokenize("a <new1> cat"))
    found = {}
    for name, model in {
        "first": first,
        "second": second,
        "alone": lora(sd1.model),
        "base": sd1.model,
    }.items():
        model = model.clone()
        model.patch_model()
        found[name] = predicted(model, words)
        model.unpatch_model()
    torch.testing.assert_close(found["first"], found["second"], rtol=0, atol=1e-5)
    apart = [(found["first"] - found[name]).abs().max() for name in ("alone", "base")]
    assert min(apart) > 1e-2 * found["base"].std()


def test_a_model_that_is_loaded_in_part_predicts_the_same(
    sd1: Loaded, load: ModuleType, concept: Concept
) -> None:
    model, clip = load.applied(sd1.model, sd1.clip, concept, 1.0, "Load Concept")
    words = clip.encode_from_tokens(clip.tokenize("a <new1> cat"))
    model.patch_model()
    whole = predicted(model, words)
    model.unpatch_model()
    key = next(iter(concept.weights))
    base = sd1.model.model.state_dict()[UNET + key].clone()
    model.load(torch.device("cpu"), lowvram_model_memory=1)
    try:
        assert model.model.model_lowvram
        assert model.model.state_dict()[UNET + key].equal(base)  # its patch is added as the layer runs
        part = predicted(model, words)
    finally:
        model.unpatch_model()
    torch.testing.assert_close(part, whole, rtol=0, atol=1e-5)


def test_a_controlnet_acts_on_the_patched_model(sd1: Loaded, load: ModuleType, concept: Concept) -> None:
    from nodes import ControlNetApplyAdvanced

    model, clip = load.applied(sd1.model, sd1.clip, concept, 1.0, "Load Concept")
    positive, negative = (
        clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in ("a <new1> cat", "")
    )
    hint = torch.rand(1, 128, 128, 3, generator=torch.Generator().manual_seed(4))
    network = models.controlnet(WIDTH)
    guided = ControlNetApplyAdvanced().apply_controlnet(positive, negative, network, hint, 1.0, 0.0, 1.0)
    plain = sd1.world.run(model, positive, negative, rows=1)
    controlled = sd1.world.run(model, *guided, rows=1)
    base = sd1.world.run(sd1.model, *guided, rows=1)
    scale = plain.std()
    assert torch.isfinite(controlled).all()
    assert (controlled - plain).abs().max() > 1e-2 * scale and (controlled - base).abs().max() > 1e-3 * scale
    assert sd1.world.run(model, positive, negative, rows=1).equal(plain)
