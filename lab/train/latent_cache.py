"""Everything the UNet learns from, encoded once per autoencoder: latents, holes, prompts and skeletons."""

from __future__ import annotations

from collections.abc import Iterator
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
from . import prompts
from .parallel import parallel_map
from .pictures import WIDTH, Pictures
from .places import Places, frozen

BATCH = 32
SEED = 11
HOLES, PROMPTS = 3, 4  # per picture
UNCONDITIONAL = 64


class Bucket(NamedTuple):
    """N pictures of one height: latents N,4,h,16; HOLES times mask and rest N,·,5,h,16 (all fp16);
    word ids N,PROMPTS,77; skeletons N,3,H,128 (uint8)."""

    clean: Tensor
    inpaint_cond: Tensor
    words: Tensor
    hints: Tensor


class Batch(NamedTuple):
    """A batch: latents B,4,h,16; mask and rest B,5,h,16, zero for a picture of words alone; word ids B,77;
    skeletons of the first P pictures, P,3,H,128 in 0…1."""

    clean: Tensor
    inpaint_cond: Tensor
    words: Tensor
    hints: Tensor


@dataclass(frozen=True)
class LatentCache:
    """All buckets, and word ids UNCONDITIONAL,77 of no words or of foreign ones."""

    buckets: list[Bucket]
    unconditional: Tensor

    def batches(self, config: dict[str, Any], seed: int) -> Iterator[Batch]:
        """Endless batches, each of one height; a height comes as often as it is in the world."""
        random = np.random.default_rng(seed)
        counts = np.array([len(bucket.clean) for bucket in self.buckets])
        while True:
            bucket = self.buckets[random.choice(len(counts), p=counts / counts.sum())]
            yield self.batch(bucket, config, random)

    def batch(self, bucket: Bucket, config: dict[str, Any], random: np.random.Generator) -> Batch:
        """Some pictures of a bucket, each with one of its prompts and with one of its holes or with none."""
        device, size = bucket.clean.device, config["batch"]

        def chosen(most: int) -> Tensor:
            return torch.from_numpy(random.integers(most, size=size)).to(device)

        def rarely(share: float) -> Tensor:
            return torch.from_numpy(random.random(size) < share).to(device)

        some, posed = chosen(len(bucket.clean)), round(size * config["posed_share"])
        words = torch.where(
            rarely(config["dropped"])[:, None],
            self.unconditional[chosen(UNCONDITIONAL)],
            bucket.words[some, chosen(PROMPTS)],
        )
        inpaint_cond = bucket.inpaint_cond[some, chosen(HOLES)].float()
        inpaint_cond = inpaint_cond * rarely(config["holed_share"])[:, None, None, None]
        hints = bucket.hints[some[:posed]].float().div(255)
        return Batch(bucket.clean[some].float(), inpaint_cond, words, hints)


def hole(one: tuple[int, np.ndarray, int]) -> np.ndarray:
    """The holes HOLES,H,128 of the picture of a number, with its points and its height."""
    number, points, height = one
    random = np.random.default_rng((SEED, number))
    return np.stack([holes.hole(points, height, WIDTH, random) for _ in range(HOLES)]) > 0


def skeleton(one: tuple[np.ndarray, int]) -> np.ndarray:
    """The control picture of points and a height."""
    return control.skeleton(*one)


def cached_latents(places: Places, source: Pictures) -> LatentCache:
    """The latents of all pictures of a source on the training's device; filled on first use."""
    made_by = versions.version(["lab.train.latent_cache"], ("vae",), weights=places.weights)
    path = places.cache / f"latents-{made_by}-of-{source.folder.name}.safetensors"
    if not path.is_file():
        with replacing(path) as unfinished:
            save_file(filled(places, source), unfinished)
    found = load_file(path, str(places.device))
    heights = sorted({int(name.split()[1]) for name in found if " " in name})
    rows = [Bucket(*(found[f"{name} {height}"] for name in Bucket._fields)) for height in heights]
    return LatentCache(rows, found["unconditional"])


def filled(places: Places, source: Pictures) -> dict[str, Tensor]:
    """The buckets' tensors by "name height"."""
    heights, points = source.heights.astype(int), list(source.poses)
    masks = list(parallel_map(hole, zip(range(len(source)), points, heights.tolist(), strict=True)))
    hints = list(parallel_map(skeleton, zip(points, heights.tolist(), strict=True)))
    vae = frozen(networks.autoencoder(), places, "vae").to(memory_format=torch.channels_last)
    tokenizer, random = Tokenizer(), np.random.default_rng(SEED)
    without = [prompts.unconditional(random) for _ in range(UNCONDITIONAL)]
    found = {"unconditional": tokens(without, tokenizer)}
    for height in np.unique(heights):
        group = np.flatnonzero(heights == height)
        said = [prompts.prompt(source.captions[index], random) for index in group for _ in range(PROMPTS)]
        clean, inpaint_cond = encoded(vae, source, group, masks)
        found[f"clean {height}"], found[f"inpaint_cond {height}"] = clean, inpaint_cond
        found[f"words {height}"] = tokens(said, tokenizer).view(len(group), PROMPTS, -1)
        found[f"hints {height}"] = torch.from_numpy(np.stack([hints[index] for index in group])).permute(
            0, 3, 1, 2
        )
    return {name: value.contiguous() for name, value in found.items()}


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
