"""Names of weights in the published layouts, and what other files are."""

from __future__ import annotations

import pytest
import torch
from recompose.core.exemplar import names
from recompose.core.exemplar.head import Head, Sizes, sizes_of
from recompose.core.exemplar.kinds import what_is


def head() -> Head:
    torch.manual_seed(1)
    made = Head(Sizes(12, 5, 3, 48))
    made.null.data.normal_()
    return made


def test_a_head_written_as_the_checkpoint_has_it_is_read_back() -> None:
    made = head()
    written = names.checkpoint_head(made.state_dict(), 3)
    assert written["cond_stage_model.mapper.resblocks.2.attn.c_qkv.weight"].shape == (36, 12)
    assert written["learnable_vector"].shape == (1, 1, 5)
    found = names.head(written, names.CHECKPOINT)
    assert names.missing(found, names.CHECKPOINT) == [] and sizes_of(found) == Sizes(12, 5, 3, 48)
    again = Head(sizes_of(found))
    again.load_state_dict(found)
    x = torch.randn(4, 12)
    assert torch.equal(again(x), made(x))


def test_a_head_is_a_transformer_of_one_word() -> None:
    """torch's own attention over a sequence of one, whatever its queries and keys are."""
    made, block = head(), torch.nn.MultiheadAttention(12, 1, batch_first=True)
    own = made.blocks[0]
    assert isinstance(block.in_proj_bias, torch.Tensor)
    block.in_proj_weight.data[24:] = own.value.weight.data
    block.in_proj_bias.data[24:] = own.value.bias.data
    block.out_proj.load_state_dict(own.out.state_dict())
    x = torch.randn(4, 1, 12)
    normed = own.norm1(x)
    middle = x + block(normed, normed, normed)[0]
    wide = torch.nn.functional.gelu(own.wide(own.norm2(middle)))
    assert torch.allclose(own(x), middle + own.narrow(wide), atol=1e-6)


def test_missing_weights_have_the_names_of_their_file() -> None:
    written = names.checkpoint_head(head().state_dict(), 3)
    del written["cond_stage_model.mapper.resblocks.1.mlp.c_fc.bias"]
    found = names.head(written, names.CHECKPOINT)
    assert names.missing(found, names.CHECKPOINT) == ["cond_stage_model.mapper.resblocks.1.mlp.c_fc.bias"]


@pytest.mark.parametrize(
    "prefix",
    ["cond_stage_model.transformer.vision_model.", "model.vision_model.", "vision_model.", "model.", ""],
)
def test_a_tower_is_found_in_every_layout(prefix: str) -> None:
    raw = {f"{prefix}embeddings.class_embedding": torch.ones(3), f"{prefix}encoder.layers.0.a": torch.ones(1)}
    raw |= {f"{prefix}embeddings.position_ids": torch.ones(2), "mapper.blocks.0.norm1.weight": torch.ones(1)}
    found = names.tower(raw)
    assert sorted(found) == ["vision_model.embeddings.class_embedding", "vision_model.encoder.layers.0.a"]


UNET = "model.diffusion_model."
CROSS = "1.1.transformer_blocks.0.attn2.to_k.weight"
KINDS = [
    ({f"{UNET}input_blocks.0.0.weight": (320, 4, 3, 3), f"{UNET}input_blocks.{CROSS}": (320, 768)},
     "a text-to-image model of SD 1 with 4 input channels and no image encoder"),
    ({f"{UNET}input_blocks.0.0.weight": (320, 9, 3, 3), f"{UNET}input_blocks.{CROSS}": (320, 1024)},
     "a text inpaint model of SD 2 with 9 input channels and no image encoder"),
    ({"conv_in.weight": (320, 8, 3, 3), f"down_blocks.0.attentions.{CROSS}": (320, 768)},
     "an InstructPix2Pix model of SD 1 with 8 input channels and no image encoder"),
    ({"lora_unet_a.lora_up.weight": (4, 4)}, "a LoRA"),
    ({"control_model.input_blocks.0.0.weight": (320, 4, 3, 3)}, "a ControlNet"),
    ({"vision_model.embeddings.class_embedding": (1024,)}, "a CLIP vision model"),
    ({"decoder.conv_in.weight": (512, 4, 3, 3)}, "an autoencoder (VAE)"),
    ({"text_model.embeddings.token_embedding.weight": (49408, 768)}, "a text encoder"),
    ({"double_blocks.0.img_attn.qkv.weight": (9216, 3072)}, "a diffusion transformer such as FLUX or SD 3"),
    ({"emb_params": (2, 768)}, "an embedding"),
    ({}, "a file of other weights"),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "words"), KINDS, ids=[words for _, words in KINDS])
def test_another_file_is_named_as_what_it_is(shapes: dict, words: str) -> None:
    assert what_is(shapes) == words
