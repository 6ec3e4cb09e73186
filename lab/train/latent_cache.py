"""Everything the UNet learns from, encoded once per autoencoder: latents, holes, prompts and skeletons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .. import version as versions
from ..files import replacing
from ..toy import control
from ..toy.models import networks
from ..toy.models.tokenizer import Tokenizer, tokens
from ..toy.tensors import in_cells, stacked
from . import masks as holes
from . import phrases, prompts
from .parallel import parallel_map
from .pictures import VIEWS, WIDTH, Pictures, pictures
from .places import Places, frozen

BATCH = 32
SEED = 11
HOLES, PROMPTS = 2, 4  # per picture
UNCONDITIONAL = 64


class Bucket(NamedTuple):
    """N pictures of one height: latents N,4,h,16; HOLES times mask and rest N,·,5,h,16 (all fp16);
    word ids N,PROMPTS,77, whether they say nothing and the material they speak of (int8, -1: none); how much
    of each cell is made of each material N,M,h,16 (uint8); skeletons N,3,H,128 (uint8)."""

    clean: Tensor
    inpaint_cond: Tensor
    words: Tensor
    nothing: Tensor
    meant: Tensor
    shares: Tensor
    hints: Tensor


class Batch(NamedTuple):
    """A batch: latents B,4,h,16; mask and rest B,5,h,16, zero for a picture of words alone; word ids B,77,
    whether they say nothing and the material they speak of (-1: none); how much of each cell is made of each
    material B,M,h,16; skeletons of the first P pictures, P,3,H,128 in 0…1; and as many numbers as the number
    of the batch's view in VIEWS, so that a graph of the loss is made for each view."""

    clean: Tensor
    inpaint_cond: Tensor
    words: Tensor
    nothing: Tensor
    meant: Tensor
    shares: Tensor
    hints: Tensor
    view: Tensor


@dataclass(frozen=True)
class LatentCache:
    """The buckets of each view, and word ids UNCONDITIONAL,77 of no words or of foreign ones."""

    views: list[list[Bucket]]
    unconditional: Tensor

    def batches(self, config: dict[str, Any], seed: int) -> Batches:
        """Endless batches, each of one height of one view; a height comes as often as it is in its view."""
        return Batches(self, config, seed)

    def batch(
        self, number: int, bucket: Bucket, config: dict[str, Any], random: np.random.Generator
    ) -> Batch:
        """Some pictures of a bucket of the view of a number, each with one of its prompts and with one of its
        holes or with none."""
        device, size = bucket.clean.device, config["batch"]

        def chosen(most: int) -> Tensor:
            return torch.from_numpy(random.integers(most, size=size)).to(device)

        def rarely(share: float) -> Tensor:
            return torch.from_numpy(random.random(size) < share).to(device)

        some, posed = chosen(len(bucket.clean)), round(size * config["posed_share"])
        prompt, without = chosen(PROMPTS), rarely(config["dropped"])[:, None]
        words = torch.where(without, self.unconditional[chosen(UNCONDITIONAL)], bucket.words[some, prompt])
        inpaint_cond = bucket.inpaint_cond[some, chosen(HOLES)].float()
        inpaint_cond = inpaint_cond * rarely(config["holed_share"])[:, None, None, None]
        hints = bucket.hints[some[:posed]].float().div(255)
        nothing = bucket.nothing[some, prompt] | without
        meant = bucket.meant[some, prompt].long().masked_fill(without, -1)
        shares = bucket.shares[some].float().div(255)
        clean, view = bucket.clean[some].float(), torch.zeros(number, device=device)
        return Batch(clean, inpaint_cond, words, nothing, meant, shares, hints, view)


class Batches:
    """Endless batches that can go on exactly where they were."""

    def __init__(self, source: LatentCache, config: dict[str, Any], seed: int) -> None:
        self.source, self.config, self.random = source, config, np.random.default_rng(seed)

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Batch:
        number = int(self.random.random() < self.config["closer_share"])
        view = self.source.views[number]
        counts = np.array([len(bucket.clean) for bucket in view])
        bucket = view[self.random.choice(len(counts), p=counts / counts.sum())]
        return self.source.batch(number, bucket, self.config, self.random)

    def state_dict(self) -> dict[str, Any]:
        """Where its random numbers are."""
        return {"random": self.random.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.random.bit_generator.state = state["random"]


def hole(one: tuple[int, np.ndarray, int, list[list[int]]]) -> np.ndarray:
    """The holes HOLES,H,128 of the picture of a number, with its points, its height and its things' boxes."""
    number, points, height, boxes = one
    random = np.random.default_rng((SEED, number))
    if boxes:
        masks = [holes.hole_at_things(boxes, height, WIDTH, random) for _ in range(HOLES)]
    else:
        masks = [holes.hole(points, height, WIDTH, random) for _ in range(HOLES)]
    return np.stack(masks) > 0


def skeleton(one: tuple[np.ndarray, int]) -> np.ndarray:
    """The control picture of points and a height."""
    return control.skeleton(*one)


def cached_latents(places: Places, config: dict[str, Any]) -> LatentCache:
    """The latents of the configured pictures of both views on the training's device; filled on first use."""
    views = []
    for view, count in zip(VIEWS, (config["pictures"], config["closer"]), strict=True):
        found = load(places, pictures(places.cache, "train", count, view))
        heights = sorted({int(name.split()[1]) for name in found if " " in name})
        views.append([Bucket(*(found[f"{name} {height}"] for name in Bucket._fields)) for height in heights])
    return LatentCache(views, found["unconditional"])


def load(places: Places, source: Pictures) -> dict[str, Tensor]:
    """The buckets' tensors of one source by "name height"."""
    made_by = versions.version(["lab.train.latent_cache"], ("vae",), weights=places.weights)
    path = places.cache / f"latents-{made_by}-of-{source.folder.name}.safetensors"
    if not path.is_file():
        with replacing(path) as unfinished:
            save_file(filled(places, source), unfinished)
    return load_file(path, str(places.device))


def filled(places: Places, source: Pictures) -> dict[str, Tensor]:
    """The buckets' tensors by "name height", and the prompts of no words."""
    heights, points = source.heights.astype(int), list(source.poses)
    boxes = [entry["boxes"] for entry in source.captions]
    masks = list(parallel_map(hole, zip(range(len(source)), points, heights.tolist(), boxes, strict=True)))
    hints = list(parallel_map(skeleton, zip(points, heights.tolist(), strict=True)))
    vae = frozen(networks.autoencoder(), places, "vae").to(memory_format=torch.channels_last)
    tokenizer, random = Tokenizer(), np.random.default_rng(SEED)
    without = [prompts.unconditional(random) for _ in range(UNCONDITIONAL)]
    found = {"unconditional": tokens(without, tokenizer)}
    for height in np.unique(heights):
        group = np.flatnonzero(heights == height)
        asked = [prompts.prompt(source.captions[index], random) for index in group for _ in range(PROMPTS)]
        clean, inpaint_cond = encoded(vae, source, group, masks)
        found[f"clean {height}"], found[f"inpaint_cond {height}"] = clean, inpaint_cond
        said = prompted([phrases.tokens(text, tokenizer) for text in asked])
        found |= {f"{name} {height}": value for name, value in said.items()}
        found[f"shares {height}"] = torch.from_numpy(np.stack([source.share(index) for index in group]))
        found[f"hints {height}"] = torch.from_numpy(np.stack([hints[index] for index in group])).permute(
            0, 3, 1, 2
        )
    return {name: value.contiguous() for name, value in found.items()}


def prompted(said: list[phrases.Tokens]) -> dict[str, Tensor]:
    """The prompts of N pictures, PROMPTS each: word ids, whether they say nothing, what they speak of."""
    found = {
        "words": torch.tensor([one.ids for one in said]),
        "nothing": torch.tensor([one.nothing for one in said]),
        "meant": torch.tensor([one.materials() for one in said], dtype=torch.int8),
    }
    return {name: value.unflatten(0, (-1, PROMPTS)) for name, value in found.items()}


@torch.no_grad()
def encoded(vae: Any, source: Pictures, group: np.ndarray, masks: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Latents N,4,h,16 of some pictures of one height, and mask and rest N,HOLES,5,h,16, in fp16."""
    clean, inpaint_cond = [], []
    device = next(vae.parameters()).device
    for indices in np.array_split(group, -(-len(group) // BATCH)):
        images = stacked([source.image(index) for index in indices]).to(device)
        clean.append(latents(vae, images))
        several = torch.from_numpy(np.stack([masks[index] for index in indices])).float().to(device)
        each = []
        for mask in several.split(1, 1):
            rest = latents(vae, images * (1 - mask) + 0.5 * mask)
            each.append(torch.cat([in_cells(mask).half().cpu(), rest], 1))
        inpaint_cond.append(torch.stack(each, 1))
    return torch.cat(clean), torch.cat(inpaint_cond)


def latents(vae: Any, images: Tensor) -> Tensor:
    """fp16 latents of B,3,H,W in 0…1."""
    with torch.autocast(images.device.type, torch.bfloat16):
        return networks.encode(vae, images.contiguous(memory_format=torch.channels_last)).half().cpu()
