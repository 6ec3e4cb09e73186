"""Train one UNet to paint from words and to paint holes, and the ControlNet along with it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...training import losses
from ..toy.control import controlled
from ..toy.models import attention, diffusion, networks
from ..toy.models.tokenizer import PLACES
from ..toy.world.labels import MATERIAL
from .latent_cache import Batch, cached_latents
from .places import Places, frozen, resume
from .task import Task
from .teacher import Student, Teacher, only_cross_attention

# The last cross-attention layers, at a sixteenth and at an eighth of the picture's size.
SUPERVISED_LAYERS = 6
FLOOR = 1e-3  # below which attention counts as none
TINY = 1e-4  # the share of a picture below which a thing has no cells
MOST_NAMED = 6.0


def attention_share(maps: list[Tensor], places: Tensor) -> Tensor:
    """The share of attention on some places (bool B,77), over layers and pictures that have other places.

    A layer's map B,N,77 may hold only the first pictures.
    """
    rows = ~places.all(1)
    means = [
        ((one * places[: len(one), None]).sum(-1).mean(1) * rows[: len(one)]).sum()
        / rows[: len(one)].sum().clamp(min=1)
        for one in maps
    ]
    return torch.stack(means).mean()


def materials_of_words(batch: Batch) -> Tensor:
    """Which material each word of a batch speaks of, B,77,M of 0 and 1."""
    return functional.one_hot(batch.meant + 1, batch.shares.shape[1] + 1)[..., 1:].float()


def attention_map_loss(maps: list[Tensor], batch: Batch, clean: Tensor) -> Tensor:
    """Cross-entropy, in nats a cell, of the true masks by the attention maps B,N,77 of the words for them.

    Materials that no word speaks of do not count. Pictures count as far as they are clean (B, 0…1): in noise
    nobody knows where things are. A map's N are the batch's cells, or squares of four of them.
    """
    speaks = materials_of_words(batch)
    named = speaks.amax(1)  # B,M
    grids = [
        functional.avg_pool2d(batch.shares, side, ceil_mode=True).flatten(2).mT * named[:, None]
        for side in (1, 2)
    ]
    masks = {grid.shape[1]: grid for grid in grids}  # B,N,M by N
    total = [
        (-(masks[one.shape[1]] * (one @ speaks + FLOOR).log()).sum(-1).mean(1) * clean).mean() for one in maps
    ]
    return torch.stack(total).mean()


def error(config: dict[str, Any], student: Student, teacher: Teacher | None = None) -> Any:
    """What is minimised: the velocity's error, where a picture is given less than in its hole; the share of
    attention on padding and filler words; and, in the last layers, the error of the attention maps.

    A teacher's velocity stands for the true one in the whole view, or its layers' outputs (`layerwise`).
    """

    def loss(batch: Batch) -> Tensor:
        device = batch.clean.device
        steps = torch.randint(diffusion.STEPS, (batch.clean.shape[0],), device=device)
        noise = torch.randn_like(batch.clean)
        x = torch.cat([diffusion.noised(batch.clean, noise, steps), batch.inpaint_cond], 1)
        recorder = attention.AttentionRecorder(PLACES)
        snr = diffusion.signal_to_noise(steps)
        with torch.autocast(device.type, torch.bfloat16, config["bfloat16"], cache_enabled=False):
            states = networks.text_states(student.text, batch.words)
            if teacher and config["layerwise"]:
                wrong = teacher.layers(x, batch, steps, states, recorder)
            else:
                predicted = predict(student, x, batch, steps, states, recorder)
                imitated = teacher is not None and not len(batch.view)
                true = (
                    teacher.velocity(x, batch, steps)
                    if imitated
                    else diffusion.velocity(batch.clean, noise, steps)
                )
                wrong = losses.velocity(predicted.float(), true.float(), snr, cell_weights(batch, config))
        mapped = attention_map_loss(recorder.maps[-SUPERVISED_LAYERS:], batch, snr / (1 + snr))
        unused = attention_share(recorder.maps, batch.nothing)
        return wrong + config["padding_weight"] * unused + config["attention_map_weight"] * mapped

    return loss


def predict(
    student: Student, x: Tensor, batch: Batch, steps: Tensor, states: Tensor,
    recorder: attention.AttentionRecorder,
) -> Tensor:  # fmt: skip
    """The velocity B,4,h,w that the networks predict for words and skeletons."""
    options = {"optimized_attention_override": recorder.override}
    if len(batch.hints):
        return controlled(student.unet, student.control, x, batch.hints, steps, states, options)
    return student.unet(x, steps.float(), states, transformer_options=options)


def cell_weights(batch: Batch, config: dict[str, Any]) -> Tensor:
    """How much each cell's error counts, B,1,h,w: less where the picture is given, more in named things.

    A named thing's cells share `named_weight` times the number of all cells, so that hair of three cells
    counts as much as a shirt of fifteen; one cell gets at most MOST_NAMED more than others.
    """
    given = (batch.inpaint_cond[:, 1:] != 0).any(1, keepdim=True) & (batch.inpaint_cond[:, :1] == 0)
    named = materials_of_words(batch).amax(1)
    named[:, MATERIAL["background"]] = 0
    each = batch.shares * named[..., None, None]
    each = each / each.mean((-2, -1), keepdim=True).clamp(min=TINY)
    more = (config["named_weight"] * each.sum(1, keepdim=True)).clamp(max=MOST_NAMED)
    return (1 - (1 - config["known_weight"]) * given.float()) * (1 + more)


def task(config: dict[str, Any], places: Places) -> Task:
    """UNet and ControlNet, their error, and pictures with and without words, holes and skeletons."""
    text = frozen(networks.text_encoder(), places, "text")
    unet = networks.inpaint_unet(config["seed"])
    notes = {"unet": resume(unet, places, "unet")}
    control = networks.controlnet(unet, config["seed"] + 1)
    trained: dict[str, nn.Module] = {"unet": unet.to(places.device)}
    if config["posed_share"] > 0:
        notes["openpose"] = resume(control, places, "openpose")
        trained["openpose"] = control.to(places.device)
    student = Student(text, unet, control)
    teacher = Teacher(places, student) if places.teacher else None
    if teacher and config["layerwise"]:
        for network in trained.values():
            only_cross_attention(network)
    seed = config["seed"] + notes["unet"].get("steps", 0)
    torch.manual_seed(seed)
    made = cached_latents(places, config).batches(config, seed)
    return Task(trained, error(config, student, teacher), made, notes=notes)
