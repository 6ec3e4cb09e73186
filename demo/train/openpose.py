"""Train the ControlNet on drawn skeletons, in front of both UNets, which stay as they are."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...core.pose import draw
from ...training import losses
from ..models import diffusion, networks
from .latents import latents
from .pictures import WIDTH, Pictures, pictures
from .task import Places, Task, resume
from .text_to_image import Drawn, batches, frozen, noised

STICK_WIDTH = 2  # half of controlnet_aux's 4: a person here is about a quarter as large as at 512


def skeleton(points: np.ndarray, height: int) -> np.ndarray:
    """The control picture H,128,3 uint8 of one person's points 24,3."""
    person = {"pose_keypoints_2d": points[:18].ravel().tolist()}
    frame = {"canvas_width": WIDTH, "canvas_height": height, "people": [person]}
    return draw.draw(frame, stick_width=STICK_WIDTH)


def skeletons(source: Pictures, indices: np.ndarray) -> Tensor:
    """Control pictures B,3,H,128 in 0…1."""
    drawn = [skeleton(source.poses[index], int(source.heights[index])) for index in indices]
    return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).float().div(255)


def controlled(
    unet: nn.Module, control: nn.Module, x: Tensor, hint: Tensor, steps: Tensor, states: Tensor
) -> Tensor:
    """Noise predicted with the ControlNet's residuals, in ComfyUI's order; x may have nine channels."""
    residuals = control(x=x[:, :4], hint=hint, timesteps=steps.float(), context=states)
    return unet(x, steps.float(), states, control=residuals)


def task(config: dict[str, Any], places: Places) -> Task:
    """The ControlNet, what is minimised (on the inpaint and the other UNet by turns), and pictures."""
    plain = frozen(networks.unet(), places, "text_to_image")
    inpaint = frozen(networks.unet(networks.INPAINT_CHANNELS), places, "inpaint")
    text = frozen(networks.text_encoder(), places, "text")
    control = networks.controlnet(plain, config["seed"]).requires_grad_(True)
    notes = resume(control, places, "openpose")
    control.to(places.device)
    source = pictures(places.cache, "train", config["pictures"])
    clean = latents(places, source, config["latents"], with_holes=False)
    holed = latents(places, source, config["latents"], with_holes=True)
    turns = itertools.cycle((inpaint, plain))

    def loss(batch: Drawn) -> Tensor:
        assert batch.around is not None
        unet, around = next(turns), batch.around.to(places.device)
        x, steps, noise = noised(batch.clean.to(places.device))
        states = networks.text_states(text, batch.words.to(places.device))
        hint = skeletons(source, batch.indices).to(places.device)
        seen = torch.cat([x, around], 1) if unet is inpaint else x
        predicted = controlled(unet, control, seen, hint, steps, states)
        return losses.noise(predicted, noise, diffusion.signal_to_noise(steps))

    seed = config["seed"] + notes.get("steps", 0)
    torch.manual_seed(seed)
    return Task({"openpose": control}, loss, batches(source, clean, holed, config, seed), notes)
