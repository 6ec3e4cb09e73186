"""BLIP by transformers' own classes, loaded for one run from a folder in the public Hugging Face layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import comfy.model_management as management
import comfy.utils
import torch
from torch import Tensor

from ...core import caption as core
from .. import layouts
from ..choices import BLIP_MODELS as CATEGORY
from ..choices import PUBLISHED_BLIP as PUBLISHED
from . import blip_files, folders, weights
from .blip_files import VOCABULARY_FILES, WEIGHT_FILES

if TYPE_CHECKING:
    from transformers import BertTokenizer, BlipForConditionalGeneration

OLDEST_TRANSFORMERS = (4, 50, 3)
CHUNK = 8


class Blip(NamedTuple):
    """What a model folder holds, read."""

    model: BlipForConditionalGeneration
    tokenizer: BertTokenizer
    how: core.Preprocessing


class Watch:
    """A stopping criterion that never stops: it counts progress and lets ComfyUI interrupt between words."""

    def __init__(self, progress: comfy.utils.ProgressBar) -> None:
        self.progress = progress

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        management.throw_exception_if_processing_interrupted()
        self.progress.update(1)
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


class Numbers:
    """A logits processor that refuses scores that are no numbers, from which no word can be chosen."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if torch.isnan(scores).any():
            raise ValueError(
                "The caption model gave NaN instead of a word; download its weights again, or start ComfyUI "
                "with --fp32-text-enc if half precision is the cause."
            )
        return scores


class Draw:
    """A logits processor after which the likeliest word is a draw, without the global random state."""

    def __init__(self, draws: list[torch.Generator]) -> None:
        self.draws = draws

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        noise = torch.stack([core.gumbel(scores.shape[-1], generator) for generator in self.draws])
        return scores + noise.to(scores.device, scores.dtype)


def problem(name: str | None) -> str | None:
    """One sentence on why model `name` cannot be used, or None; a name not known yet has no problem."""
    if name is None:
        return None
    folder = folders.model_folders(CATEGORY).get(name)
    place = folder or folders.roots(CATEGORY)[0] / (name if name and Path(name).name == name else PUBLISHED)
    try:
        weighty = blip_files.weight_files(place)
    except ValueError as error:
        return str(error)
    missing = [] if folder else ["config.json"]
    missing += [] if weighty else [" or ".join(WEIGHT_FILES)]
    if not any((place / file).is_file() for file in VOCABULARY_FILES):
        missing.append(" or ".join(VOCABULARY_FILES))
    if not missing:
        return None
    repository = "Salesforce/blip-image-captioning-" + ("large" if "large" in name else "base")
    return (
        f"BLIP model {name!r} needs {', '.join(missing)} in {place}; "
        f"download {repository} from Hugging Face (https://huggingface.co/{repository}) into that folder."
    )


def fingerprint(name: str | None) -> list[tuple[str, int, int]]:
    """The files of a model with size and time, so that replaced weights are noticed."""
    folder = folders.model_folders(CATEGORY).get(name or "")
    return folders.stamps(path for path in sorted(folder.iterdir()) if path.is_file()) if folder else []


def caption(image: Tensor, name: str, wording: core.Wording) -> list[str]:
    """One caption, without the prompt, per picture of an IMAGE by the model folder `name`.

    Raises ValueError for a picture or model that cannot be used, RuntimeError without a fitting transformers.
    """
    pictures = layouts.image_from_comfy(image)
    if trouble := problem(name):
        raise ValueError(trouble)
    blip = load(folders.model_folders(CATEGORY)[name])
    prompt, config = prompt_ids(blip, wording), text_config(blip)
    special = {*blip.tokenizer.all_special_ids, config.bos_token_id}
    captions = []
    for ids in generate(blip, pictures, prompt, wording):
        words = core.new_ids(ids, len(prompt) - 1, config.sep_token_id)
        pieces = blip.tokenizer.convert_ids_to_tokens([word for word in words if word not in special])
        captions.append(core.clean_caption([piece for piece in pieces if piece]))
    return captions


def load(folder: Path) -> Blip:
    """Read a model folder, never downloading; ValueError naming the file that does not fit."""
    transformers, path = import_transformers(), folder / "config.json"
    network = blip_files.network_of(blip_files.read_json(path), path)
    try:
        config: Any = transformers.BlipConfig.from_dict(network)
        with torch.device("meta"):
            model = transformers.BlipForConditionalGeneration(config)
    except Exception as error:  # whatever numbers that do not fit each other lead to
        raise ValueError(
            f"{path} describes a network that cannot be built; take all files from the same published folder."
        ) from error
    path = folder / "preprocessor_config.json"
    seen = blip_files.read_json(path) if path.is_file() else {}
    how = core.preprocessing(seen, config.vision_config.image_size)
    kind = transformers.BertTokenizerFast
    tokenizer = blip_files.read_vocabulary(folder, config.text_config.sep_token_id, kind)
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    return Blip(build(config, shapes, blip_files.weight_files(folder)), tokenizer, how)


def import_transformers() -> Any:
    """The transformers package; RuntimeError if it is missing or older than what ComfyUI itself asks for."""
    needed = ".".join(map(str, OLDEST_TRANSFORMERS))
    advice = f"install it with: python -m pip install 'transformers>={needed}'"
    try:
        import transformers
    except ImportError as error:
        raise RuntimeError(
            f"BLIP Caption needs transformers {needed} or newer but found none; {advice}"
        ) from error
    found = transformers.__version__
    version = tuple(int(part) for part in found.split(".")[:3] if part.isdigit())
    if version < OLDEST_TRANSFORMERS:
        raise RuntimeError(f"BLIP Caption needs transformers {needed} or newer but found {found}; {advice}")
    return transformers


def build(config: Any, shapes: dict[str, tuple[int, ...]], files: list[Path]) -> BlipForConditionalGeneration:
    """The captioner of a BlipConfig with the weights in `files`; ValueError if they lack some of `shapes`."""
    transformers, path = import_transformers(), files[0]
    state = blip_files.read_weights(files)
    tie(state)
    if not any(name.startswith("text_decoder.") for name in state):
        raise ValueError(
            f"{path} holds no BLIP captioner but {next(iter(state), 'nothing')!r} and so on; {OTHER}"
        )
    # Checked before the network is made, which a damaged config.json may describe as any size.
    refuse_unfit(
        [name for name, shape in shapes.items() if name not in state or state[name].shape != shape], path
    )
    model, report = transformers.BlipForConditionalGeneration.from_pretrained(
        None,
        config=config,
        state_dict=state,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        local_files_only=True,
    )
    refuse_unfit([*report["missing_keys"], *(entry[0] for entry in report["mismatched_keys"])], path)
    dtype = weights.compute_dtype(management.text_encoder_device())
    return model.to(dtype).eval().requires_grad_(False)


def refuse_unfit(names: list[str], path: Path) -> None:
    """Raise ValueError if there are any names of tensors that a file lacks or has in another shape."""
    if names:
        raise ValueError(
            f"{path} lacks {len(set(names))} tensors of config.json's model ({min(names)}, …); {OTHER}"
        )


OTHER = f"download the weights of a model like {PUBLISHED} into this folder."


def tie(state: dict[str, Tensor]) -> None:
    """Add the output layer's shared tensors, left out by a newer transformers, for an older one to find."""
    head = "text_decoder.cls.predictions."
    for missing, source in (
        (head + "decoder.weight", "text_decoder.bert.embeddings.word_embeddings.weight"),
        (head + "bias", head + "decoder.bias"),
        (head + "decoder.bias", head + "bias"),
    ):
        if missing not in state and source in state:
            state[missing] = state[source]


def text_config(blip: Blip) -> Any:
    """The decoder's own configuration; transformers types it as a dict or None."""
    return blip.model.config.text_config


def prompt_ids(blip: Blip, wording: core.Wording) -> list[int]:
    """The ids generate() takes; ValueError if prompt and caption are longer than the decoder can hold."""
    config = text_config(blip)
    words = blip.tokenizer(wording.prompt, add_special_tokens=False)["input_ids"] if wording.prompt else []
    longest = config.max_position_embeddings - wording.max_new_tokens - 1
    if len(words) > longest:
        raise ValueError(
            f"The prompt has {len(words)} tokens but only {longest} fit before {wording.max_new_tokens} new; "
            "shorten the prompt or lower max_new_tokens."
        )
    return core.prompt_layout(words, config.bos_token_id, config.sep_token_id)


def generate(blip: Blip, pictures: Tensor, prompt: list[int], wording: core.Wording) -> Iterator[list[int]]:
    """Yield the ids of each picture (B,C,H,W), prompt included, under ComfyUI's memory management."""
    transformers = import_transformers()
    chunk = min(chunk_size(wording), len(pictures))
    patcher = weights.place(
        blip.model, chunk * bytes_per_picture(blip.model, wording), weights.devices_for_text()
    )
    device = patcher.load_device
    starts = range(0, len(pictures), chunk)
    watch = Watch(comfy.utils.ProgressBar(len(starts) * wording.max_new_tokens))
    for number, start in enumerate(starts):
        management.throw_exception_if_processing_interrupted()
        pixels = core.prepare(pictures[start : start + chunk], blip.how).to(device, blip.model.dtype)
        words: Any = torch.tensor([prompt], device=device).repeat(len(pixels), 1)
        everything: Any = torch.ones_like(words)
        ids = blip.model.generate(
            pixels,
            input_ids=words,
            attention_mask=everything,
            stopping_criteria=transformers.StoppingCriteriaList([watch]),
            logits_processor=transformers.LogitsProcessorList(
                [Numbers(), *nucleus(wording.nucleus, len(pixels), start)]
            ),
            **options(wording),
        )
        yield from ids.tolist()
        watch.progress.update_absolute((number + 1) * wording.max_new_tokens)


def chunk_size(wording: core.Wording) -> int:
    """How many pictures to describe at once.

    One, for beams with transformers 4: there a sentence that could end goes on until its neighbours end too,
    so that its words depend on them.
    """
    version = import_transformers().__version__
    return 1 if wording.num_beams > 1 and version.startswith("4.") else CHUNK


def options(wording: core.Wording) -> dict[str, Any]:
    """generate()'s arguments, all stated: defaults differ between versions and folders."""
    return {
        "do_sample": False,
        "num_beams": wording.num_beams,
        "max_new_tokens": wording.max_new_tokens,
        "min_new_tokens": wording.min_new_tokens,
        "repetition_penalty": wording.repetition_penalty,
        "length_penalty": 1.0,
        "early_stopping": False,
        "no_repeat_ngram_size": 0,
        "num_return_sequences": 1,
        "return_dict_in_generate": False,
        "use_cache": True,
    }


def nucleus(how: core.Nucleus | None, count: int, first: int) -> list[Any]:
    """The logits processors that draw words for `count` pictures from number `first` on; none for beams."""
    if how is None:
        return []
    transformers = import_transformers()
    return [
        transformers.TemperatureLogitsWarper(how.temperature),
        transformers.TopPLogitsWarper(how.top_p),
        Draw(core.generators(how.seed, count, first)),
    ]


def bytes_per_picture(model: BlipForConditionalGeneration, wording: core.Wording) -> int:
    """An estimate of what one picture needs beside the weights: attention, the decoder's cache, logits."""
    vision: Any = model.config.vision_config
    text: Any = model.config.text_config
    tokens = (vision.image_size // vision.patch_size) ** 2 + 1
    attention = 3 * vision.num_attention_heads * tokens**2 + 3 * tokens * vision.intermediate_size
    cache = 2 * text.num_hidden_layers * text.hidden_size * (tokens + wording.max_new_tokens)
    return model.dtype.itemsize * (attention + wording.num_beams * (cache + 4 * text.vocab_size))
