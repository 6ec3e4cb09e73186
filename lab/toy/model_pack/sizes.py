"""The sizes of the demo models: Stable Diffusion 1.x with everything narrower, predicting velocity."""

CONTEXT_DIM = 64
MODEL_CHANNELS = 64
NUM_HEADS = 2

UNET = {
    "image_size": 32,
    "out_channels": 4,
    "model_channels": MODEL_CHANNELS,
    "num_res_blocks": [2, 2, 2, 2],
    "channel_mult": [1, 2, 1, 1],
    "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
    "transformer_depth_output": [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
    "transformer_depth_middle": 1,
    "context_dim": CONTEXT_DIM,
    "num_heads": NUM_HEADS,
    "num_head_channels": -1,
    "use_spatial_transformer": True,
    "use_linear_in_transformer": False,
    "adm_in_channels": None,
    "legacy": False,
}

TEXT = {
    "hidden_size": CONTEXT_DIM,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "hidden_act": "quick_gelu",
    "max_position_embeddings": 77,
    "eos_token_id": 49407,
    "vocab_size": 49408,
}
