"""The files of a BLIP folder: which weights, and what of its JSON files counts.

Only what describes the network is taken from a configuration. Other keys choose attention kernels, quantizers
and code, which transformers would import or fetch.
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from . import weights

if TYPE_CHECKING:
    from transformers import BertTokenizer

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
INDEX = ".index.json"  # behind a weight file's name, where the weights are split over several files
VOCABULARY_FILES = ("vocab.txt", "tokenizer.json")
LARGEST, MOST_LAYERS = 2**20, 1000
# Names and least values of whole numbers; then the texts and the positive numbers.
TEXT_NUMBERS = {
    "vocab_size": 1, "hidden_size": 1, "intermediate_size": 1, "num_hidden_layers": 1,
    "num_attention_heads": 1, "max_position_embeddings": 1, "bos_token_id": 0, "pad_token_id": 0,
    "sep_token_id": 0,
}  # fmt: skip
VISION_NUMBERS = {
    "hidden_size": 1, "intermediate_size": 1, "num_hidden_layers": 1, "num_attention_heads": 1,
    "image_size": 1, "patch_size": 1,
}  # fmt: skip
IDS, VOCABULARY = ("bos_token_id", "pad_token_id", "sep_token_id"), 30524  # as published
SIDES = ("image_size", "patch_size")
TOKENIZER_FILES = (*VOCABULARY_FILES, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
TOKENIZER_KEYS = (
    "do_lower_case", "tokenize_chinese_chars", "strip_accents", "unk_token", "sep_token", "pad_token",
    "cls_token", "mask_token", "model_max_length", "added_tokens_decoder",
)  # fmt: skip


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of any Unicode encoding; ValueError if it is something else."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a JSON file; download it again.") from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} holds a {type(content).__name__} instead of a JSON object; download it again."
        )
    return content


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights, [] if there are none; ValueError for an index that leads nowhere."""
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return [folder / name]
        if (folder / (name + INDEX)).is_file():
            return _indexed(folder / (name + INDEX), Path(name).suffix)
    return []


def _indexed(index: Path, suffix: str) -> list[Path]:
    names = read_json(index).get("weight_map")
    parts = list(names.values()) if isinstance(names, dict) else []
    if not parts or not all(isinstance(part, str) and part.endswith(suffix) for part in parts):
        raise ValueError(f"{index} does not say which {suffix} file holds which weights; download it again.")
    files = [index.parent / part for part in sorted(set(parts))]
    for file in files:
        if "\\" in file.name or file.parent != index.parent:
            raise ValueError(f"{index} names a file outside its folder ({file}); download it again.")
        if not file.is_file():
            raise ValueError(f"{index} names {file.name}, which is not in its folder; download that file.")
    return files


def read_weights(files: list[Path]) -> dict[str, Tensor]:
    """The tensors of all these files together; ValueError as `weights.read` gives it."""
    return {name: value for file in files for name, value in weights.read(file).items()}


def network_of(raw: dict[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    """What describes the captioner in the config.json at `path`; ValueError for another kind or damage."""
    stated = raw.get("architectures") or ["BlipForConditionalGeneration"]
    kind = [raw.get("model_type"), *(stated if isinstance(stated, list) else [stated])]
    if kind != ["blip", "BlipForConditionalGeneration"]:
        raise ValueError(
            f"{path} describes {' '.join(str(part)[:60] for part in kind[:4])}, not a BLIP captioner; "
            "use a folder like blip-image-captioning-base."
        )
    text = _part(raw, "text_config", TEXT_NUMBERS, path)
    for key in IDS:
        if text.get(key, 0) >= text.get("vocab_size", VOCABULARY):
            raise ValueError(f"{path} holds {text[key]} at {key}, which is no word; download it again.")
    return {"text_config": text, "vision_config": _part(raw, "vision_config", VISION_NUMBERS, path)}


def _part(raw: dict[str, Any], name: str, numbers: dict[str, int], path: Path) -> dict[str, Any]:
    given = raw.get(name)
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise ValueError(f"{path} holds a {type(given).__name__} at {name}; download it again.")
    taken: dict[str, Any] = {}
    for key in (*numbers, "layer_norm_eps", "hidden_act"):
        if (value := given.get(key)) is None:
            continue
        if key in SIDES and isinstance(value, list) and len(value) == 2 and value[0] == value[1]:
            value = value[0]
        if not _sound(key, value, numbers):
            raise ValueError(f"{path} holds {str(value)[:60]!r} at {name}.{key}; download it again.")
        taken[key] = value
    return taken


def _sound(key: str, value: Any, numbers: dict[str, int]) -> bool:
    if key == "hidden_act":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if key == "layer_norm_eps":
        return 0 < value < 1
    most = MOST_LAYERS if key == "num_hidden_layers" else LARGEST
    return math.isfinite(value) and value == int(value) and numbers[key] <= value <= most


def read_vocabulary(folder: Path, sep: int, kind: Any) -> BertTokenizer:
    """The folder's tokenizer of class `kind`; ValueError if unreadable or with a separator other than `sep`.

    It is read from a copy whose JSON files hold what describes the tokenizer and no byte order mark.
    """
    try:
        with tempfile.TemporaryDirectory() as copy:
            for name in TOKENIZER_FILES:
                if (folder / name).is_file():
                    (Path(copy) / name).write_bytes(_plain(folder / name))
            tokenizer = kind.from_pretrained(copy, local_files_only=True)
    except Exception as error:  # tokenizers raises nothing more special.
        raise ValueError(f"The vocabulary in {folder} cannot be read; download it again.") from error
    if tokenizer.sep_token_id != sep:
        raise ValueError(
            f"The vocabulary in {folder} ends sentences with {tokenizer.sep_token_id} but the model in "
            f"config.json with {sep}; take all files from the same published folder."
        )
    return tokenizer


def _plain(path: Path) -> bytes:
    if path.name == "vocab.txt":
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    content = read_json(path)
    if path.name == "tokenizer_config.json":
        content = {key: content[key] for key in TOKENIZER_KEYS if key in content}
    return json.dumps(content).encode()
