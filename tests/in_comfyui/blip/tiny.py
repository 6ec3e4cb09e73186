"""A BLIP folder in the public layout with tiny random weights, and the ids the pack gets from it.

Run as a program (`python tiny.py FOLDER…`, with COMFYUI_PATH set) it prints those ids as JSON, so that a
process with another transformers on its path can be compared.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
import sys
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

SEARCHES = {
    "greedy": ("", {"search": "beams", "num_beams": 1}, 5, 12, 1.0),
    "beams": ("", {"search": "beams", "num_beams": 3}, 5, 12, 1.0),
    "prompt": ("  A Photo of", {"search": "beams", "num_beams": 3}, 5, 12, 1.0),
    "long": ("a man", {"search": "beams", "num_beams": 4}, 25, 30, 1.2),
    "nucleus": ("a photo of", {"search": "nucleus", "top_p": 0.9, "temperature": 1.0, "seed": 7}, 5, 12, 1.0),
}
# As in the published folder, whose text part still carries the generation defaults of old versions.
TEXT = {
    "model_type": "blip_text_model",
    "bos_token_id": 30522,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "sep_token_id": 102,
    "vocab_size": 30524,
    "max_length": 20,
    "min_length": 0,
    "num_beams": 1,
    "do_sample": False,
    "top_k": 50,
    "is_decoder": True,
    "hidden_act": "gelu",
    "max_position_embeddings": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "torch_dtype": None,
    "use_cache": True,
}
VISION = {
    "model_type": "blip_vision_model",
    "hidden_act": "gelu",
    "hidden_size": 40,
    "intermediate_size": 64,
    "image_size": 48,
    "patch_size": 16,
    "num_attention_heads": 5,
    "num_hidden_layers": 2,
}
CONFIG = {
    "architectures": ["BlipForConditionalGeneration"],
    "model_type": "blip",
    "image_text_hidden_size": 16,
    "projection_dim": 16,
    "logit_scale_init_value": 2.6592,
    "torch_dtype": "float32",
    "transformers_version": None,
    "text_config": TEXT,
    "vision_config": VISION,
}
PREPROCESSOR = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "image_processor_type": "BlipImageProcessor",
    "processor_class": "BlipProcessor",
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 48, "width": 48},
}
TOKENIZER = {
    "tokenizer_class": "BertTokenizer",
    "do_lower_case": True,
    "model_max_length": 512,
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
    "pad_token": "[PAD]",
    "sep_token": "[SEP]",
    "unk_token": "[UNK]",
}
SPECIAL = {
    0: "[PAD]",
    100: "[UNK]",
    101: "[CLS]",
    102: "[SEP]",
    103: "[MASK]",
    30522: "[DEC]",
    30523: "[ENC]",
}
WORDS = [
    "a",
    "an",
    "the",
    "photo",
    "of",
    "man",
    "woman",
    "dog",
    "in",
    "with",
    "shirt",
    "on",
    "t",
    "s",
    "'",
    "-",
    ".",
    ",",
    "!",
    "?",
    "picture",
    "person",
    "full",
    "body",
]


def vocabulary() -> list[str]:
    """30524 entries with BLIP's special ids, some English words, and made-up ones for the rest."""
    syllables = ["".join(letters) for letters in itertools.product("bdfgklmnprst", "aeiou")]
    made_up = ("".join(parts) for parts in itertools.product(syllables, syllables, syllables))
    pieces = [f"##{syllable}" for syllable in syllables]
    fresh = itertools.chain(
        WORDS, [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"], pieces, made_up
    )
    unused = (f"[unused{number}]" for number in itertools.count())
    return [SPECIAL.get(index) or next(unused if index < 1000 else fresh) for index in range(30524)]


def weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """A weight that depends on its name alone, large enough for captions to vary with the picture."""
    values = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    if "LayerNorm.weight" in name or ("norm" in name and name.endswith("weight")):
        values = 1 + 0.2 * values
    elif name.endswith("bias"):
        values = 0.1 * values
    elif "word_embeddings" in name:
        values = 0.4 * values
    else:
        values = values * (2.0 / np.sqrt(shape[-1]) if len(shape) == 2 else 0.3)
    if name == "text_decoder.cls.predictions.bias":
        values[102] += 12.0
    return torch.from_numpy(values.astype(np.float32))


def state() -> dict[str, Tensor]:
    """All tensors of the tiny model as the published files hold them, the shared ones twice."""
    from transformers import BlipConfig, BlipForConditionalGeneration

    with torch.device("meta"):
        shapes = BlipForConditionalGeneration(BlipConfig.from_dict(CONFIG)).state_dict()
    tensors = {name: weight(name, tuple(value.shape)) for name, value in shapes.items()}
    head = "text_decoder.cls.predictions."
    tensors[head + "decoder.weight"] = tensors["text_decoder.bert.embeddings.word_embeddings.weight"].clone()
    tensors[head + "decoder.bias"] = tensors[head + "bias"].clone()
    tensors["text_decoder.bert.embeddings.position_ids"] = torch.arange(TEXT["max_position_embeddings"])[None]
    return tensors


def make_folder(folder: Path) -> Path:
    """Write the tiny model into `folder` in the public Hugging Face layout."""
    folder.mkdir(parents=True)
    for name, content in {
        "config.json": CONFIG,
        "preprocessor_config.json": PREPROCESSOR,
        "tokenizer_config.json": TOKENIZER,
        "special_tokens_map.json": {key: TOKENIZER[key] for key in TOKENIZER if key.endswith("_token")},
    }.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")
    save_file(state(), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def pictures(count: int = 3, height: int = 37, width: int = 61) -> Tensor:
    """Pictures B,C,H,W in 8-bit steps, each with its own colours and stripes."""
    random = np.random.RandomState(8)
    y, x = np.mgrid[:height, :width]
    waves = [[np.sin(x * a + y * b + c) for a, b, c in random.rand(3, 3)] for _ in range(count)]
    return torch.from_numpy(np.round((np.array(waves) + 1) * 127.5).astype(np.float32)) / 255


def comfyui() -> None:
    """Import ComfyUI on the CPU and the checkout as `recompose`, as tests/conftest.py does."""
    sys.path.insert(0, os.environ["COMFYUI_PATH"])
    alias = ModuleType("recompose")
    alias.__path__ = [str(Path(__file__).resolve().parents[3])]
    sys.modules["recompose"] = alias
    options = importlib.import_module("comfy.options")
    options.enable_args_parsing(False)
    importlib.import_module("comfy.cli_args").args.cpu = True


def ids(folder: Path) -> dict[str, list[list[int]]]:
    """The ids of every search for every picture, prompt and separator included, padding not."""
    blip = importlib.import_module("recompose.bridge.models.blip")
    caption = importlib.import_module("recompose.core.caption")
    found = {}
    for name, request in SEARCHES.items():
        wording, loaded = caption.wording(*request), blip.load(folder)
        prompt = blip.prompt_ids(loaded, wording)
        rows = blip.generate(loaded, pictures(), prompt, wording)
        found[name] = [row[: row.index(102) + 1] if 102 in row else row for row in rows]
    return found


def processor_difference(folder: Path) -> float:
    """The greatest difference of the pack's pixels from those of transformers' own PIL processor."""
    import transformers

    caption = importlib.import_module("recompose.core.caption")
    kind = transformers.BlipImageProcessor
    if int(transformers.__version__.split(".")[0]) >= 5:
        kind = importlib.import_module(
            "transformers.models.blip.image_processing_pil_blip"
        ).BlipImageProcessorPil
    processor = kind.from_pretrained(str(folder), local_files_only=True)
    own = caption.prepare(pictures(), caption.preprocessing(PREPROCESSOR, 48))
    raw = (pictures() * 255).round().byte().permute(0, 2, 3, 1).numpy()
    theirs = processor(images=list(raw), return_tensors="pt")["pixel_values"]
    return float((own - theirs).abs().max())


def main() -> None:
    with contextlib.redirect_stdout(sys.stderr):
        comfyui()
        import transformers

        folders = [Path(argument) for argument in sys.argv[1:]]
        result = {
            "transformers": transformers.__version__,
            "ids": [ids(folder) for folder in folders],
            "difference": processor_difference(folders[0]),
        }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
