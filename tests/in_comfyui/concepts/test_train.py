"""Concepts learned on ComfyUI's models."""

from __future__ import annotations

import importlib
import itertools
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.concepts.conftest import Loaded
from torch import Tensor, nn

KEYS = ("attn2.to_k.weight", "attn2.to_v.weight")


def examples(data: ModuleType, prompt: str = "photo of a <new1> cat", count: int = 3) -> Any:
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(count, 4, 8, 8, generator=generator)
    counts = (torch.rand(count, 1, 8, 8, generator=generator) > 0.2).float()
    return data.Examples(latents, counts, [prompt] * count)


def finished(
    training: Any, own: Any, prior: Any = None, state: Path | None = None, stop: int | None = None
) -> list[float]:
    """The losses of a training, to its end or to a step."""
    reports = training.run(own, prior, state, save_steps=3)
    losses = [report.loss for report in itertools.islice(reports, stop)]
    reports.close()
    return losses


def state_of(model: Any) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.model.state_dict().items()}


def test_other_weights_can_be_named(
    sd1: Loaded, train: ModuleType, load: ModuleType, data: ModuleType, settings: Any
) -> None:
    names = [name for name in sd1.model.model.state_dict() if name.startswith(load.UNET)]
    training = train.ConceptTraining(sd1.model, sd1.clip, settings, names)
    start = training.concept()
    finished(training, examples(data))
    concept = training.concept()
    assert set(concept.weights) == {name.removeprefix(load.UNET) for name in names}
    for name in ("input_blocks.0.0.weight", "out.0.weight", "time_embed.0.bias"):
        assert not concept.weights[name].equal(start.weights[name])
    patched, _ = load.applied(sd1.model, sd1.clip, concept, 1.0, "test")
    assert len(patched.patches) == len(names)


@pytest.mark.parametrize("part", ["keys and values", "cross-attention", "embedding alone"])
def test_only_what_is_named_is_trained(
    sd1: Loaded, train: ModuleType, data: ModuleType, settings: Any, part: str
) -> None:
    before, table = state_of(sd1.model), sd1.clip.cond_stage_model.state_dict()
    table = {name: value.clone() for name, value in table.items()}
    training = train.ConceptTraining(sd1.model, sd1.clip, replace(settings, train=part))
    start = training.concept()
    copied = state_of(training.hosted.patcher)
    finished(training, examples(data))
    concept = training.concept()
    wanted = {
        name.removeprefix("diffusion_model.") for name in before if name.endswith(train.PARTS[part] or "none")
    }
    assert set(concept.weights) == wanted
    assert all(not concept.weights[name].equal(start.weights[name]) for name in wanted)
    assert not concept.tokens["<new1>"]["clip_l"].equal(start.tokens["<new1>"]["clip_l"])
    for model, first in ((sd1.model, before), (training.hosted.patcher, copied)):
        assert all(value.equal(first[name]) for name, value in model.model.state_dict().items())
    after = sd1.clip.cond_stage_model.state_dict()
    assert all(value.equal(table[name]) for name, value in after.items())


def test_every_new_word_learns(sd1: Loaded, train: ModuleType, data: ModuleType, settings: Any) -> None:
    training = train.ConceptTraining(sd1.model, sd1.clip, replace(settings, token="<new1> <new2> <new3>"))
    start = training.concept().tokens
    own = examples(data, "a <new1> and a <new2> with <new3>")
    finished(training, own)
    for word, vectors in training.concept().tokens.items():
        assert not vectors["clip_l"].equal(start[word]["clip_l"])


def test_the_loss_falls_and_the_loaded_concept_has_it(
    sd1: Loaded, train: ModuleType, data: ModuleType, settings: Any
) -> None:
    """On one latent with one noise level, which can be learned by heart."""
    training = train.ConceptTraining(sd1.model, sd1.clip, replace(settings, steps=60, learning_rate=0.02))
    own = examples(data, count=1)
    batch = next(data.Batches(own, None, 2, 1000, 1.0, 3))
    with training.hosted.loaded(), torch.no_grad():
        first = float(training.loss(batch))
    finished(training, own)
    with training.hosted.loaded(), torch.no_grad():
        last = float(training.loss(batch))
    assert last < 0.9 * first
    load = importlib.import_module("recompose.bridge.concepts.load")
    model, clip = load.applied(sd1.model, sd1.clip, training.concept(), 1.0, "Load Concept")
    said = clip.encode_from_tokens(clip.tokenize(batch.prompts[0]))
    sigma = training.hosted.sigmas[batch.levels].float()
    x = model.model.model_sampling.noise_scaling(sigma.view(-1, 1, 1, 1), batch.noise, batch.latents, False)
    model.patch_model()
    with torch.no_grad():
        clean = model.model.apply_model(x, sigma, c_crossattn=said.expand(2, -1, -1), transformer_options={})
    model.unpatch_model()
    wrong = ((clean - batch.latents) / sigma.view(-1, 1, 1, 1)).square().mean(1, True)
    loss = ((wrong * batch.counts).sum((1, 2, 3)) / batch.counts.sum((1, 2, 3))).mean()
    assert float(loss) == pytest.approx(last, rel=1e-4)


def test_gradients_are_those_of_plain_autograd(
    sd1: Loaded, train: ModuleType, data: ModuleType, settings: Any
) -> None:
    """The network and the text encoder called as they are, with the weights themselves as parameters."""
    training = train.ConceptTraining(sd1.model, sd1.clip, settings)
    batch = next(data.Batches(examples(data), None, 2, 1000, 1.0, 3))
    around = torch.autograd.graph.allow_mutation_on_saved_tensors
    with training.hosted.loaded(), torch.inference_mode(False), torch.enable_grad(), around():
        training.loss(batch).backward()
    inner = training.hosted.patcher.model
    net = inner.diffusion_model
    chosen = {name: value for name, value in net.named_parameters() if name.endswith(KEYS)}
    plain = {name: nn.Parameter(value.detach().clone()) for name, value in chosen.items()}
    for module in net.modules():
        if hasattr(module, "weight_function"):
            module.weight_function = []
    vector = training.words.vectors[0].detach().clone().requires_grad_()
    with torch.inference_mode(False), torch.enable_grad(), around():
        words = reference_words(sd1.clip, batch.prompts[0], vector)
        sigma = inner.model_sampling.sigmas[batch.levels].float().view(-1, 1, 1, 1)
        x = (batch.latents + sigma * batch.noise) / (sigma**2 + 1).sqrt()
        steps = inner.model_sampling.timestep(sigma.flatten()).float()
        with first_detached():
            noise = torch.func.functional_call(net, plain, (x, steps, words.expand(2, -1, -1)))
        wrong = (noise - batch.noise).square().mean(1, True)
        loss = ((wrong * batch.counts).sum((1, 2, 3)) / batch.counts.sum((1, 2, 3))).mean()
        loss.backward()
    for name, delta in zip(training.hosted.names, training.hosted.deltas, strict=True):
        wanted = plain[name.removeprefix("diffusion_model.")].grad
        assert wanted is not None and wanted.abs().max() > 0
        assert torch.allclose(delta.grad, wanted, rtol=1e-3, atol=1e-5 * float(wanted.abs().max()))
    got = training.words.vectors[0].grad
    assert torch.allclose(got, vector.grad, rtol=1e-3, atol=1e-5 * float(vector.grad.abs().max()))


def reference_words(clip: Any, text: str, vector: Tensor) -> Tensor:
    """The states of a prompt whose `<new1>` is a vector, by the text network alone."""
    before, after = text.split("<new1>")
    ids = [[entry[0] for entry in clip.tokenize(part.strip())["l"][0]] for part in (before, after)]
    end = 49407
    head, tail = (part[: part.index(end)] for part in ids)
    places = [*head, 0, *tail[1:], end]
    network = clip.cond_stage_model.clip_l.transformer
    row = torch.tensor([*places, *[end] * (77 - len(places))])
    embeds = network.get_input_embeddings()(row, out_dtype=torch.float32).clone()
    embeds = torch.cat([embeds[: len(head)], vector[None], embeds[len(head) + 1 :]])
    return network(None, None, embeds=embeds[None], num_tokens=[len(places)], dtype=torch.float32)[0]


def first_detached() -> Any:
    """Cross-attention whose first key and value have no gradient."""
    attention = importlib.import_module("comfy.ldm.modules.attention")

    class Patched:
        def __enter__(self) -> None:
            self.forward = attention.CrossAttention.forward

            def run(layer: Any, x: Tensor, context: Any = None, value: Any = None, **named: Any) -> Tensor:
                if context is None:
                    return self.forward(layer, x, context, value, **named)
                k, v = layer.to_k(context), layer.to_v(context)
                k, v = (torch.cat([each[:, :1].detach(), each[:, 1:]], 1) for each in (k, v))
                return layer.to_out(attention.optimized_attention(layer.to_q(x), k, v, layer.heads))

            attention.CrossAttention.forward = run

        def __exit__(self, *_: object) -> None:
            attention.CrossAttention.forward = self.forward

    return Patched()


def test_checkpointing_changes_no_gradient(
    sd1: Loaded, train: ModuleType, data: ModuleType, settings: Any
) -> None:
    batch = next(data.Batches(examples(data), None, 2, 1000, 1.0, 3))
    found = []
    for checkpointing in (False, True):
        training = train.ConceptTraining(sd1.model, sd1.clip, replace(settings, checkpointing=checkpointing))
        around = torch.autograd.graph.allow_mutation_on_saved_tensors
        with training.hosted.loaded(), torch.inference_mode(False), torch.enable_grad(), around():
            training.loss(batch).backward()
        found.append([delta.grad for delta in training.hosted.deltas])
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-7) for a, b in zip(*found, strict=True))


def test_it_goes_on_as_if_nothing_had_stopped_it(
    sd1: Loaded, train: ModuleType, data: ModuleType, settings: Any, tmp_path: Path
) -> None:
    own, prior = examples(data), examples(data, "photo of a cat")
    whole = train.ConceptTraining(sd1.model, sd1.clip, settings)
    losses = finished(whole, own, prior)
    state = tmp_path / "cat.state"
    stopped = train.ConceptTraining(sd1.model, sd1.clip, settings)
    first = finished(stopped, own, prior, state, stop=5)
    again = train.ConceptTraining(sd1.model, sd1.clip, settings)
    last = finished(again, own, prior, state)
    assert first == losses[:5] and last == losses[3:]  # saved after the third step
    for name, weight in whole.concept().weights.items():
        assert weight.equal(again.concept().weights[name])
    assert whole.concept().tokens["<new1>"]["clip_l"].equal(again.concept().tokens["<new1>"]["clip_l"])
