"""Paint with the small diffusion models outside of ComfyUI's samplers, for measuring them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .control import controlled
from .models import diffusion, networks, parts
from .models.tokenizer import Tokenizer, tokens
from .requests import Order, batches
from .tensors import in_cells, stacked

STEPS, GUIDANCE = 25, 3.0


class Painter:
    """The models of a folder; all in fp32 on the CPU."""

    def __init__(self, folder: Path = parts.FOLDER) -> None:
        def filled(network: nn.Module, name: str) -> Any:
            parts.load(network, folder, name)
            return network.eval().requires_grad_(False)

        self.vae = filled(networks.autoencoder(), "vae")
        self.text = filled(networks.text_encoder(), "text")
        self.unet = filled(networks.inpaint_unet(), "unet")
        self.control = filled(networks.controlnet(), "openpose")
        self.tokenizer = Tokenizer()

    @torch.inference_mode()
    def paint(self, orders: Sequence[Order]) -> list[np.ndarray]:
        """Pictures H,W,3 uint8 by deterministic DDIM; the same for an order whatever else is ordered."""
        found: dict[int, np.ndarray] = {}
        for indices in batches(orders):
            found |= zip(indices, self.together([orders[index] for index in indices]), strict=True)
        return [found[index] for index in range(len(orders))]

    def together(self, orders: list[Order]) -> list[np.ndarray]:
        """Pictures of orders of one size and kind."""
        height, width = orders[0].room
        states = networks.text_states(self.text, tokens([each.words for each in orders], self.tokenizer))
        nothing = networks.text_states(self.text, tokens([""], self.tokenizer)).expand_as(states)
        hint, around = self.hint(orders), self.around(orders)

        def answer(x: Tensor, times: Tensor, words: Tensor) -> Tensor:
            seen = torch.cat([x, around], 1)
            if hint is None:
                return self.unet(seen, times.float(), words)
            return controlled(self.unet, self.control, seen, hint, times, words)

        def guided(x: Tensor, times: Tensor) -> Tensor:
            without = answer(x, times, nothing)
            return without + GUIDANCE * (answer(x, times, states) - without)

        noise = torch.stack([normal(each.seed, height // 8, width // 8) for each in orders])
        pixels = self.pixels(diffusion.sample(guided, noise, STEPS))
        return [pasted(order, image) for order, image in zip(orders, pixels, strict=True)]

    def hint(self, orders: list[Order]) -> Tensor | None:
        """The skeletons B,3,H,W in 0…1, if there are any."""
        drawn = [each.skeleton for each in orders if each.skeleton is not None]
        return stacked(drawn) if drawn else None

    def around(self, orders: list[Order]) -> Tensor:
        """Mask and rest of the picture B,5,h,w; zero where there is none."""
        holes = [each.hole for each in orders if each.hole is not None]
        if not holes:
            return nothing_around(len(orders), *(side // 8 for side in orders[0].room))
        mask = torch.from_numpy(np.stack(holes))[:, None].float()
        return self.rest(stacked([each.picture for each in orders if each.picture is not None]), mask)

    def rest(self, pictures: Tensor, mask: Tensor) -> Tensor:
        """What an inpaint model is shown of pictures B,3,H,W with holes B,1,H,W: mask and rest B,5,h,w."""
        grey = pictures * (1 - mask) + 0.5 * mask
        return torch.cat([in_cells(mask), networks.encode(self.vae, grey)], 1)

    def pixels(self, latents: Tensor) -> np.ndarray:
        """Pictures B,H,W,3 uint8 of latents B,4,h,w."""
        images = networks.decode(self.vae, latents)
        return (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()


def nothing_around(count: int, rows: int, columns: int) -> Tensor:
    """What the network is shown of no picture."""
    return torch.zeros(count, networks.INPAINT_CHANNELS - networks.LATENT_CHANNELS, rows, columns)


def normal(seed: int, rows: int, columns: int) -> Tensor:
    """The unit noise of a seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(networks.LATENT_CHANNELS, rows, columns, generator=generator)


def pasted(order: Order, image: np.ndarray) -> np.ndarray:
    """The painted picture with what was given as it was."""
    if order.hole is None or order.picture is None:
        return image
    return np.where(order.hole[..., None], image, order.picture)
