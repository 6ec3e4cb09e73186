"""What a file of weights is, by the names and shapes in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Shapes = Mapping[str, Sequence[int]]

FAMILIES = {768: "SD 1", 1024: "SD 2", 2048: "SDXL", 1280: "SDXL's refiner"}
FIRST = ("model.diffusion_model.input_blocks.0.0.weight", "input_blocks.0.0.weight", "conv_in.weight")
# A part of a name that only such a file has, and what it is; the first that fits.
SIGNS = (
    (("lora_up", "lora_down", "lora_A", "lora_B", "hada_w1"), "a LoRA"),
    (("control_model.", "controlnet_", "input_hint_block"), "a ControlNet"),
    (("ip_adapter", "image_proj."), "an IP-Adapter"),
    (("double_blocks.", "joint_blocks.", "transformer_blocks.0.attn.", "single_blocks."), ""),
)
OTHERS = (
    (("vision_model.", "visual.transformer."), "a CLIP vision model"),
    (("text_model.", "token_embedding", "shared.weight"), "a text encoder"),
    (("first_stage_model.", "decoder.conv_in", "decoder.up", "decoder.mid"), "an autoencoder (VAE)"),
    (("emb_params", "string_to_param", "clip_l"), "an embedding"),
)
TRANSFORMER = "a diffusion transformer such as FLUX or SD 3"


def what_is(shapes: Shapes) -> str:
    """What a file is, in a few words."""
    for signs, words in SIGNS:
        if has(shapes, signs):
            return words or TRANSFORMER
    first = next((shapes[name] for name in FIRST if name in shapes), None)
    if first is not None and len(first) == 4 and any("attn2.to_k" in name for name in shapes):
        return checkpoint(shapes, first[1])
    return next((words for signs, words in OTHERS if has(shapes, signs)), "a file of other weights")


def has(shapes: Shapes, signs: Sequence[str]) -> bool:
    """Whether any name has any of the signs in it."""
    return any(sign in name for name in shapes for sign in signs)


def checkpoint(shapes: Shapes, channels: int) -> str:
    """What a UNet with words is."""
    width = next(shape[1] for name, shape in shapes.items() if name.endswith("attn2.to_k.weight"))
    family = FAMILIES.get(width, f"a family with {width} numbers a word")
    kinds = {4: "a text-to-image model", 8: "an InstructPix2Pix model", 9: "a text inpaint model"}
    return f"{kinds.get(channels, 'a model')} of {family} with {channels} input channels and no image encoder"
