"""Teaches ComfyUI the small sizes; appended after its own models, so no real checkpoint is matched by it."""

from typing import ClassVar

from comfy import model_base, sd1_clip, supported_models, supported_models_base
from comfy_api.latest import ComfyExtension, io

from . import sizes


class Tokenizer(sd1_clip.SDTokenizer):
    def __init__(self, embedding_directory=None, tokenizer_data=None):
        super().__init__(
            embedding_directory=embedding_directory,
            embedding_size=sizes.CONTEXT_DIM,
            tokenizer_data=tokenizer_data or {},
        )


class DemoTokenizer(sd1_clip.SD1Tokenizer):
    def __init__(self, embedding_directory=None, tokenizer_data=None):
        super().__init__(embedding_directory, tokenizer_data or {}, tokenizer=Tokenizer)


class TextModel(sd1_clip.SDClipModel):
    def __init__(self, device="cpu", dtype=None, model_options=None):
        super().__init__(
            device=device,
            dtype=dtype,
            model_options=model_options or {},
            textmodel_json_config=dict(sizes.TEXT),
            return_projected_pooled=False,
        )


class DemoClip(sd1_clip.SD1ClipModel):
    def __init__(self, device="cpu", dtype=None, model_options=None):
        super().__init__(device, dtype, model_options or {}, clip_model=TextModel)


class DemoSD15(supported_models.SD15):
    unet_config: ClassVar = {
        **supported_models.SD15.unet_config,
        "context_dim": sizes.CONTEXT_DIM,
        "model_channels": sizes.MODEL_CHANNELS,
    }
    unet_extra_config: ClassVar = {"num_heads": sizes.NUM_HEADS, "num_head_channels": -1}

    def model_type(self, state_dict, prefix=""):
        return model_base.ModelType.V_PREDICTION

    def clip_target(self, state_dict=None):
        return supported_models_base.ClipTarget(DemoTokenizer, DemoClip)


class HostPack(ComfyExtension):
    async def on_load(self) -> None:
        if not any(model.__name__ == DemoSD15.__name__ for model in supported_models.models):
            supported_models.models.append(DemoSD15)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return []
