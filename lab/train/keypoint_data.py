"""Pictures to learn seeing from, drawn once into flat files; some as the autoencoder gives them back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from .. import version as versions
from ..files import replacing
from ..toy import corruptions, world
from ..toy.models import networks
from ..toy.world.chance import Chance
from ..toy.world.labels import MATERIAL
from ..toy.world.poses import FAMILIES
from ..toy.world.scenes import SCENES
from ..toy.world.things import numbered
from ..toy.world.visible import PERSON
from .pictures import WIDTH
from .places import Places, frozen

TOPIC = 6
PLANES = 2  # what each pixel is made of, and which good foot it shows
BATCH = 8
TOLD = ("said", "pose", "scene", "clear")
IGNORED = -100  # the number of what a picture does not tell
CLOSER = "closer"  # the kind of picture that shows things large; all others are of corruptions.KINDS
# Of a foot's pixels in the whole drawing: below the first share it is gone, from the second on it is shown.
GONE, SHOWN = 0.02, 0.5
SETTINGS = ("part", "first", "pictures", "kinds", "coded", "latent_noise")  # that the pictures depend on


class Lesson(NamedTuple):
    """A picture H,W,3 and its planes H,W (material, feet), uint8, points 24,3 in pixels, what is said of each
    material 13,2 (see world/things.py), pose family and scene by number, and whether its feet are clear."""

    image: np.ndarray
    material: np.ndarray
    feet: np.ndarray
    points: np.ndarray
    said: np.ndarray
    pose: int
    scene: int
    clear: bool


def lesson(kind: str, seed: int, part: str) -> Lesson:
    """The picture of a seed of a part of one kind, with all that it teaches."""
    if kind == CLOSER:
        return closer(seed, part)
    shown = corruptions.planted(kind, seed, part, corruptions.PRACTICE)
    said = numbered(shown.attributes)
    if shown.count == 0:
        said[MATERIAL["shoes"]] = 0  # what is left of them, or blurred, tells nothing
    pose, scene = (
        list(FAMILIES).index(shown.attributes["pose"]),
        list(SCENES).index(shown.attributes["scene"]),
    )
    if not np.isin(shown.material, PERSON).any():
        pose = len(FAMILIES)
    return Lesson(shown.image, shown.material, shown.feet, shown.points, said, pose, scene, True)


def closer(seed: int, part: str) -> Lesson:
    """A closer picture; half a foot or more is a foot, and a smaller part of one makes the number unclear."""
    example = world.closer(seed, part)
    cut, whole = example.window.cut(example.drawing.segment), example.drawing.segment
    feet, clear = np.zeros_like(cut), True
    for number, segment in enumerate(corruptions.FOOT.values(), 1):
        count, all_of_it = (cut == segment).sum(), (whole == segment).sum()
        if count >= max(SHOWN * all_of_it, corruptions.SHOWN_PIXELS):
            feet[cut == segment] = number
        elif count > GONE * all_of_it:
            clear = False
    material = example.window.cut(example.drawing.material)
    pose = list(FAMILIES).index(example.attributes["pose"]) if "pose" in example.attributes else IGNORED
    if not np.isin(material, PERSON).any():
        pose = len(FAMILIES)
    scene = list(SCENES).index(example.scene)
    points = world.points_of(example).astype(np.float32)
    return Lesson(example.image, material, feet, points, numbered(example.attributes), pose, scene, clear)


@dataclass(frozen=True)
class KeypointDataset:
    """Bytes of all pictures and of their planes, rows and first row of each, points N,24,3 in pixels, and by
    name what else their lessons hold: said N,13,2, pose N, scene N and clear N."""

    pixels: np.ndarray
    planes: np.ndarray
    heights: np.ndarray
    starts: np.ndarray
    points: np.ndarray
    told: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.heights)

    def image(self, index: int) -> np.ndarray:
        """Picture H,128,3 uint8."""
        return self.pixels[self.starts[index] : self.starts[index] + self.heights[index]]

    def plane(self, index: int) -> np.ndarray:
        """Materials and feet H,128,2 uint8."""
        return self.planes[self.starts[index] : self.starts[index] + self.heights[index]]


def kind_of(seed: int, part: str, shares: dict[str, float]) -> str:
    """Which kind of picture a seed is, each as often as its share says."""
    draw = Chance(part, seed, TOPIC).uniform(0, sum(shares.values()))
    for kind, share in shares.items():
        draw -= share
        if draw < 0:
            return kind
    raise AssertionError("a draw lies below the sum of the shares")


def keypoint_dataset(places: Places, config: dict[str, Any]) -> KeypointDataset:
    """The configured pictures, drawn on first use."""
    chosen = {name: config[name] for name in SETTINGS}
    made_by = versions.version(["lab.train.keypoint_data"], ("vae",), settings=chosen, weights=places.weights)
    folder = places.cache / f"keypoints-{made_by}"
    if not folder.is_dir():
        draw(folder, places, config)
    index = np.load(folder / "index.npz")
    starts = np.concatenate([[0], np.cumsum(index["heights"])[:-1]])
    pixels = np.memmap(folder / "pixels.bin", np.uint8, "r").reshape(-1, WIDTH, 3)
    planes = np.memmap(folder / "planes.bin", np.uint8, "r").reshape(-1, WIDTH, PLANES)
    told = {name: index[name] for name in TOLD}
    return KeypointDataset(pixels, planes, index["heights"], starts, index["points"], told)


def draw(folder: Path, places: Places, config: dict[str, Any]) -> None:
    """Draw all pictures into `folder`, which appears only when it is whole."""
    with replacing(folder) as unfinished:
        unfinished.mkdir()
        lessons = []
        with (
            (unfinished / "pixels.bin").open("wb") as pixels,
            (unfinished / "planes.bin").open("wb") as planes,
        ):
            for seed in range(config["first"], config["first"] + config["pictures"]):
                one = lesson(kind_of(seed, config["part"], config["kinds"]), seed, config["part"])
                pixels.write(np.ascontiguousarray(one.image).tobytes())
                planes.write(np.stack([one.material, one.feet], 2).tobytes())
                lessons.append((one.image.shape[0], one.points, *(getattr(one, name) for name in TOLD)))
        columns = zip(("heights", "points", *TOLD), zip(*lessons, strict=True), strict=True)
        index = {name: np.array(values) for name, values in columns}
        np.savez(unfinished / "index.npz", **index)
        recode(unfinished / "pixels.bin", index["heights"], places, config)


@torch.inference_mode()
def recode(path: Path, heights: np.ndarray, places: Places, config: dict[str, Any]) -> None:
    """Replace a share of the pictures by what the autoencoder makes of their more or less noisy latents."""
    network = frozen(networks.autoencoder(), places, "vae").to(memory_format=torch.channels_last)
    random, generator = np.random.default_rng(config["first"]), torch.Generator().manual_seed(config["first"])
    pixels = np.memmap(path, np.uint8, "r+").reshape(-1, WIDTH, 3)
    starts = np.concatenate([[0], np.cumsum(heights)[:-1]])
    chosen = np.flatnonzero(random.random(len(heights)) < config["coded"])
    for height in np.unique(heights[chosen]):
        same = chosen[heights[chosen] == height]
        for some in np.split(same, range(BATCH, len(same), BATCH)):
            images = np.stack([pixels[starts[index] : starts[index] + height] for index in some])
            given = torch.from_numpy(images).permute(0, 3, 1, 2).to(places.device).float() / 255
            with torch.autocast(places.device.type, torch.bfloat16):
                latents = networks.encode(network, given).float()
                spread = torch.from_numpy(random.uniform(0, config["latent_noise"], (len(some), 1, 1, 1)))
                noise = torch.randn(latents.shape, generator=generator)
                made = networks.decode(network, latents + (spread.float() * noise).to(places.device))
            back = (made.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
            for index, image in zip(some, back, strict=True):
                pixels[starts[index] : starts[index] + height] = image
    pixels.flush()
