"""Train Concept: cross-attention weights and new words of a loaded model, from a few pictures of a thing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import comfy.model_management as management
from torch import Tensor, nn
from torch.autograd.graph import allow_mutation_on_saved_tensors

from ...core.concepts.concept import Concept
from ...training.loop import Report, TrainConfig
from ...training.networks import learning
from ...training.parallel import Group
from ...training.task import Task, train
from ..training.hosted import Hosted
from .data import Batch, Batches, Examples
from .load import UNET, base_weights
from .trained_words import TrainedWords

WHO = "Train Concept"
KEYS_AND_VALUES, CROSS_ATTENTION, EMBEDDING = "keys and values", "cross-attention", "embedding alone"
PARTS: dict[str, tuple[str, ...]] = {
    KEYS_AND_VALUES: ("attn2.to_k.weight", "attn2.to_v.weight"),
    CROSS_ATTENTION: tuple(
        f"attn2.to_{name}" for name in ("k.weight", "v.weight", "q.weight", "out.0.weight", "out.0.bias")
    ),
    EMBEDDING: (),
}


@dataclass(frozen=True)
class Settings:
    """How a concept is trained."""

    token: str = "<new1>"
    class_word: str = ""
    train: str = KEYS_AND_VALUES
    steps: int = 250
    learning_rate: float = 4e-5
    batch: int = 2
    accumulation: int = 1
    size: int = 512
    augment: bool = True
    prior_weight: float = 1.0
    checkpointing: bool = False
    seed: int = 0

    @property
    def words(self) -> list[str]:
        """The new words."""
        return self.token.split()


class Learning(nn.Module):
    """All that is trained of a concept: what is added to weights, and vectors of words."""

    def __init__(self, hosted: Hosted, words: TrainedWords) -> None:
        super().__init__()
        self.deltas, self.vectors = hosted.deltas, words.vectors


class ConceptTraining:
    """A training of a concept on a copy of MODEL and CLIP; `names` are other weights than the settings'."""

    def __init__(self, model: Any, clip: Any, settings: Settings, names: Sequence[str] | None = None) -> None:
        self.settings = settings
        with learning():
            names = trained_names(model, settings.train) if names is None else list(names)
            self.base = base_weights(model, names)
            self.hosted = Hosted(model, names, WHO, settings.checkpointing)
            self.words = TrainedWords(clip, settings.words, WHO)
        self.clip = self.words.clip

    def loss(self, batch: Batch) -> Tensor:
        """The mean over pictures of the prediction's error where it counts (Kumari et al. 2023, eq. 1)."""
        management.throw_exception_if_processing_interrupted()
        device = self.hosted.patcher.load_device
        latents, counts, noise, weights = (
            each.to(device) for each in (batch.latents, batch.counts, batch.noise, batch.weights)
        )
        sigma = self.hosted.sigmas.to(device)[batch.levels.to(device)].float()
        encoded = self.words.encode(batch.prompts)
        more = self.hosted.extra(None if encoded.pooled is None else encoded.pooled.to(device), latents)
        wrong = (
            self.hosted.error(latents, noise, sigma, encoded.words.to(device), **more).square().mean(1, True)
        )
        each = (wrong * counts).sum((1, 2, 3)) / counts.sum((1, 2, 3)).clamp(min=1e-6)
        return (each * weights).sum()

    def task(self, own: Examples, prior: Examples | None, group: Group) -> Task:
        """What is trained on which batches."""
        batches = Batches(
            own, prior, self.settings.batch, len(self.hosted.sigmas), self.settings.prior_weight,
            self.settings.seed, group,
        )  # fmt: skip
        # ComfyUI's CLIP adds in place to what gradients need.
        return Task(
            {"concept": Learning(self.hosted, self.words)}, self.loss, batches,
            around=allow_mutation_on_saved_tensors, average=group.average,
        )  # fmt: skip

    def concept(self) -> Concept:
        """The concept as it is now."""
        weights = {
            name.removeprefix(UNET): self.base[name] + delta.detach().float().cpu()
            for name, delta in zip(self.hosted.names, self.hosted.deltas, strict=True)
        }
        return Concept(weights, self.words.learned())

    def run(
        self, own: Examples, prior: Examples | None, state: Path | None, save_steps: int,
        saved: Callable[[int], None] = lambda step: None, group: Group | None = None,
    ) -> Iterator[Report]:  # fmt: skip
        """Train to the end, a report after each step; `saved` is called with the step after each saving."""
        config = TrainConfig(
            self.settings.steps, self.settings.learning_rate, warmup=1, min_lr_ratio=1.0, weight_decay=0.01,
            accumulation=self.settings.accumulation,
        )  # fmt: skip
        processes = group or Group()
        with self.hosted.loaded():
            self.clip.load_model()
            yield from train(
                self.task(own, prior, processes), config, lambda _name, _weights, how: saved(how.steps),
                ema_decay=0.0, state=state, save_steps=save_steps, writes=processes.first,
            )  # fmt: skip


def trained_names(model: Any, part: str) -> list[str]:
    """The names of the weights that learn; ValueError where the model has none of them."""
    found = [
        name for name in model.model.state_dict() if name.startswith(UNET) and name.endswith(PARTS[part])
    ]
    if PARTS[part] and not found:
        raise ValueError(
            f"{WHO} trains the cross-attention of SD1, SD2 and SDXL, which {type(model.model).__name__} has "
            "not; connect one of these."
        )
    return found


def fingerprint(settings: Settings, own: Examples, prior: Examples | None, base: dict[str, Tensor]) -> str:
    """What tells a training from others: its settings, pictures and model."""
    held = hashlib.sha256(repr(sorted(asdict(settings).items())).encode())
    for each in (own, prior):
        if each is not None:
            held.update(each.latents.float().cpu().contiguous().numpy().tobytes())
            held.update("\n".join(each.prompts).encode())
    return sums(held, base).hexdigest()[:16]


def sums(held: Any, weights: dict[str, Tensor]) -> Any:
    """A hash with the weights' names and sums added."""
    for name, weight in weights.items():
        held.update(f"{name} {float(weight.double().sum()):.9g}".encode())
    return held


def prompts(settings: Settings, captions: Sequence[str], count: int) -> list[str]:
    """The prompt of each picture; ValueError for another number of captions."""
    thing = f"{settings.token} {settings.class_word}".strip()
    if not captions:
        return [f"photo of a {thing}"] * count
    if len(captions) not in (1, count):
        raise ValueError(
            f"{WHO}: captions needs one line, or one for each of {count} pictures, got {len(captions)}; "
            "write as many or none."
        )
    return list(captions) * (count if len(captions) == 1 else 1)
