"""The demo networks, built from ComfyUI's own classes so that every key is the public one."""

from __future__ import annotations

from collections.abc import Sequence

import comfy.clip_model
import comfy.ops
import torch
from comfy.cldm.cldm import ControlNet
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.taesd.taesd import TAESD
from torch import Tensor, nn

from ..model_pack import sizes
from .attention import attention

LATENT_CHANNELS = 4
INPAINT_CHANNELS = 9  # noisy latent 4, mask 1, latent of the picture with its hole grey 4
HINT_CHANNELS = 3
LATENT_SCALE = 0.18215  # what ComfyUI multiplies SD 1.x latents by before the UNet sees them


def initialise(module: nn.Module, seed: int) -> nn.Module:
    """Give every layer torch's usual random weights: ComfyUI's layers come without any."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d):
                nn.Conv2d.reset_parameters(layer)
            elif isinstance(layer, nn.Linear):
                nn.Linear.reset_parameters(layer)
            elif isinstance(layer, nn.GroupNorm | nn.LayerNorm):
                nn.init.ones_(layer.weight)
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, nn.Embedding):
                nn.init.normal_(layer.weight, std=0.02)
    return module


def silence(module: nn.Module, endings: Sequence[str]) -> None:
    """Zero the last layer of each residual branch, so that a fresh network passes its input through."""
    for name, parameter in module.named_parameters():
        if name.rpartition(".")[0].endswith(tuple(endings)):
            nn.init.zeros_(parameter)


def unet(in_channels: int = LATENT_CHANNELS, seed: int = 0) -> UNetModel:
    """Stable Diffusion 1.5's UNet at 64 channels, fp32, with fresh weights."""
    network = UNetModel(
        **sizes.UNET, in_channels=in_channels, dtype=torch.float32, operations=comfy.ops.disable_weight_init
    )
    initialise(network, seed)
    silence(network, ("out_layers.3", "proj_out", "out.2"))
    return network


def inpaint_unet(seed: int = 0) -> UNetModel:
    """The UNet that also sees a mask and the rest of the picture."""
    return unet(INPAINT_CHANNELS, seed)


def narrowed(wide: UNetModel) -> UNetModel:
    """The same UNet without the channels of mask and picture: what it does where those are zero."""
    weights = wide.state_dict()
    first = weights["input_blocks.0.0.weight"][:, :LATENT_CHANNELS]
    narrow = unet(LATENT_CHANNELS)
    narrow.load_state_dict({**weights, "input_blocks.0.0.weight": first})
    return narrow


def controlnet(start: UNetModel | None = None, seed: int = 0) -> ControlNet:
    """An OpenPose ControlNet: a copy of the UNet's first half whose outputs start at zero."""
    settings = {name: value for name, value in sizes.UNET.items() if name != "out_channels"}
    network = ControlNet(
        in_channels=LATENT_CHANNELS, hint_channels=HINT_CHANNELS, dtype=torch.float32, **settings
    )
    initialise(network, seed)
    if start is not None:
        network.load_state_dict(narrowed(start).state_dict(), strict=False)
    silence(network, ("middle_block_out.0", *(f"zero_convs.{index}.0" for index in range(12))))
    return network


def text_encoder(seed: int = 0) -> comfy.clip_model.CLIPTextModel:
    """CLIP's text model at width 64, for the stock SD 1.x tokenizer."""
    network = comfy.clip_model.CLIPTextModel(
        dict(sizes.TEXT), torch.float32, "cpu", comfy.ops.disable_weight_init
    )
    initialise(network, seed)
    nn.init.eye_(network.text_projection.weight)
    return network


def autoencoder(seed: int = 0) -> TAESD:
    """A TAESD-shaped autoencoder whose scale cancels SD 1.x's: the UNet sees the latents as they are."""
    network = initialise(TAESD(), seed)
    with torch.no_grad():
        network.vae_scale.fill_(LATENT_SCALE)
        network.vae_shift.zero_()
    return network


def text_states(network: nn.Module, tokens: Tensor) -> Tensor:
    """Word states B,77,64 of token ids B,77; ComfyUI's own forward adds in place and has no gradient."""
    model = network.text_model
    states = model.embeddings.token_embedding(tokens) + model.embeddings.position_embedding.weight
    length = tokens.shape[1]
    causal = torch.full((length, length), -torch.finfo(states.dtype).max, device=states.device).triu(1)
    for layer in model.encoder.layers:
        states = states + layer.self_attn(layer.layer_norm1(states), causal, attention)
        states = states + layer.mlp(layer.layer_norm2(states))
    return model.final_layer_norm(states)


def encode(network: TAESD, images: Tensor) -> Tensor:
    """Latents B,4,h,w as the UNet sees them, of images B,3,8h,8w in 0…1."""
    return network.taesd_encoder(images)


def decode(network: TAESD, latents: Tensor) -> Tensor:
    """Images B,3,8h,8w in about 0…1 of latents as the UNet sees them."""
    return network.taesd_decoder(latents)
