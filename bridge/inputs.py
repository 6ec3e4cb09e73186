"""The one door for what a schema declares: numbers, choices, texts, and sockets without a door of their own.

ComfyUI checks what is typed into a node; what comes over a link it passes on as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, TypeGuard

import torch
from torch import Tensor

from ..core.canvas.crop import Context
from ..core.canvas.stitch import Patch
from ..core.concepts.concept import Concept
from ..core.inversion.trajectory import Inversion
from ..core.smartbrush.thing import BrushObject

# Choices that the bridge reads itself, with sentences that name the file or folder.
FILES = ("file", "model", "vision")
DYNAMIC = "COMFY_DYNAMICCOMBO_V3"
REGION = ("x", "y", "width", "height", "canvas_width", "canvas_height")


def checked(schema: Any, given: Mapping[str, Any], dynamic: bool = True) -> dict[str, Any]:
    """A node's inputs as its schema declares them: whole numbers as int, others as float, the rest as given.

    Optional inputs that are None are left out; without `dynamic`, dynamic ones are not looked at. Raises
    ValueError, one sentence that names node and input, for everything else.
    """
    found = dict(given)
    for each in schema.inputs if dynamic else ():
        # ComfyUI drops a choice that it does not know, and whatever depends on it, without an error.
        if each.get_io_type() == DYNAMIC and found.get(each.id) is None:
            _dynamic(each, None, f"{schema.display_name}: {each.id}")
    for each in schema.inputs:
        if each.id not in found or (not dynamic and _is_dynamic(each)):
            continue
        if found[each.id] is None and each.optional:
            del found[each.id]
        else:
            found[each.id] = _value(each, found[each.id], f"{schema.display_name}: {each.id}")
    return found


def checked_lists(schema: Any, given: Mapping[str, Any], lists: Sequence[str]) -> dict[str, Any]:
    """The same for a node that takes lists: some inputs are lists, of the others the first item counts."""
    single = {name: value[0] if value else None for name, value in given.items() if name not in lists}
    found = checked(schema, single)
    declared = {each.id: each for each in schema.inputs}
    for name in lists:
        some = [value for value in given.get(name) or () if value is not None]
        if not some and not declared[name].optional:
            raise ValueError(
                f"{schema.display_name}: {name} is missing; connect a {declared[name].get_io_type()} to it."
            )
        label = f"{schema.display_name}: {name}"
        found[name] = [_value(declared[name], value, label) for value in some]
    return found


def _is_dynamic(declared: Any) -> bool:
    return declared.get_io_type().startswith("COMFY_")


def _value(declared: Any, value: Any, name: str) -> Any:
    kind = declared.get_io_type()
    if value is None:
        # Dynamic choices and lazy inputs may come later or never; the node itself knows which.
        if declared.optional or _is_dynamic(declared) or getattr(declared, "lazy", None):
            return None
        raise ValueError(f"{name} is missing; connect a {kind} to it.")
    if isinstance(value, Tensor) and (value.is_nested or value.is_meta or value.layout != torch.strided):
        raise ValueError(f"{name} must be a plain tensor but is {shown(value)}; connect a {kind} output.")
    check = CHECKS.get(kind)
    return check(declared, value, name) if check else value


def shown(value: Any) -> str:
    """A value on one short line, for a sentence."""
    if isinstance(value, Tensor):
        kind = "nested" if value.is_nested else "empty of values" if value.is_meta else value.layout
        return f"a tensor of {value.dtype}" + ("" if kind is torch.strided else f", {kind}")
    text = " ".join(repr(value).split()) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:59]}…"


def _is_number(value: Any) -> TypeGuard[float]:
    """Whether this is a finite number of Python or numpy."""
    return isinstance(value, Real) and math.isfinite(value)


def _range(declared: Any) -> str:
    low, high = declared.min, declared.max
    return f" from {low} to {high}" if low is not None and high is not None else ""


def _within(declared: Any, value: float) -> bool:
    return (declared.min is None or value >= declared.min) and (declared.max is None or value <= declared.max)


def _whole(declared: Any, value: Any, name: str) -> int:
    if _is_number(value) and value == int(value) and _within(declared, value):
        return int(value)
    raise ValueError(
        f"{name} must be a whole number{_range(declared)} but is {shown(value)}; change it or what is linked."
    )


def _number(declared: Any, value: Any, name: str) -> float:
    if _is_number(value) and _within(declared, value):
        return float(value)
    raise ValueError(
        f"{name} must be a number{_range(declared)} but is {shown(value)}; change it or what is linked."
    )


def _switch(_declared: Any, value: Any, name: str) -> bool:
    if (isinstance(value, Real) and value in (0, 1)) or str(type(value)) == "<class 'numpy.bool'>":
        return bool(value)
    raise ValueError(f"{name} must be true or false but is {shown(value)}; change it or what is linked.")


def _text(_declared: Any, value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{name} must be a text but is {shown(value)}; change it or what is linked.")


def _choice(declared: Any, value: Any, name: str) -> str:
    options = declared.options
    if isinstance(value, str) and (declared.id in FILES or value in options):
        return value
    raise ValueError(f"{name} must be one of {', '.join(options)} but is {shown(value)}; choose one.")


def _dynamic(declared: Any, value: Any, name: str) -> dict[str, Any]:
    options = {option.key: option.inputs for option in declared.options}
    key = value.get(declared.id) if isinstance(value, Mapping) else value
    if not isinstance(key, str) or key not in options or not isinstance(value, Mapping):
        raise ValueError(f"{name} must be one of {', '.join(options)} but is {shown(key)}; choose one.")
    found = dict(value)
    for each in options[key]:
        default = getattr(each, "default", None)
        found[each.id] = _value(each, found.get(each.id, default), f"{name}.{each.id}")
    return found


def _grown(declared: Any, value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be inputs by name but is {shown(value)}; connect other nodes.")
    each = declared.template.input
    check = CHECKS.get(each.get_io_type())
    for key, given in value.items():
        if given is not None and check:
            check(each, given, f"{name}.{key}")
    return value


def _is_model(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("get_model_object", "model_options", "load_device"))


def _is_clip(value: Any) -> bool:
    return all(callable(getattr(value, name, None)) for name in ("tokenize", "encode_from_tokens_scheduled"))


def _is_vae(value: Any) -> bool:
    if not callable(getattr(value, "spacial_compression_encode", None)):
        return False
    ratio = value.spacial_compression_encode()
    return _is_number(ratio) and 1 <= ratio == int(ratio)


def _is_exemplar_encoder(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("encode", "null", "side"))


def _is_conditioning(value: Any) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(
        isinstance(entry, list | tuple)
        and len(entry) == 2
        and _is_words(entry[0])
        and isinstance(entry[1], Mapping)
        for entry in value
    )


def _is_words(value: Any) -> bool:
    """Whether a text encoder may have made this: fractional numbers, some of them."""
    plain = isinstance(value, Tensor) and not value.is_nested and not value.is_meta
    return plain and value.is_floating_point() and value.numel() > 0


def check_conditioning(value: Any, name: str) -> Any:
    """The very CONDITIONING that came; ValueError by a sentence for anything else and for NaN."""
    if not _is_conditioning(value):
        raise ValueError(f"{name} cannot be used as it is ({shown(value)}); connect CLIP Text Encode.")
    if not all(bool(torch.isfinite(words).all()) for words, _ in value):
        raise ValueError(
            f"{name} holds NaN or infinite values; check the text encoder and the nodes after it (a LoRA "
            "that does not fit is a usual cause)."
        )
    return value


def _is_sigmas(value: Any) -> bool:
    return isinstance(value, Tensor) and not value.is_nested and value.ndim == 1 and value.is_floating_point()


def _is_region(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    numbers = [value[key] for key in REGION if key in value]
    if not all(_is_number(each) and each == int(each) for each in numbers):
        return False
    if len(numbers) < len(REGION):
        return True  # the bridge says what is missing
    x, y, width, height, canvas_width, canvas_height = numbers
    across, down = 0 <= x < x + width <= canvas_width, 0 <= y < y + height <= canvas_height
    return across and down


def _socket(fits: Callable[[Any], bool], source: str) -> Callable[[Any, Any, str], Any]:
    def check(declared: Any, value: Any, name: str) -> Any:
        if not fits(value):
            raise ValueError(f"{name} cannot be used as it is ({shown(value)}); connect {source}.")
        return value

    return check


CHECKS: dict[str, Callable[[Any, Any, str], Any]] = {
    "INT": _whole,
    "FLOAT": _number,
    "BOOLEAN": _switch,
    "STRING": _text,
    "COLOR": _text,
    "COMBO": _choice,
    DYNAMIC: _dynamic,
    "COMFY_AUTOGROW_V3": _grown,
    "MODEL": _socket(_is_model, "a loader's model"),
    "CLIP": _socket(_is_clip, "a loader's CLIP"),
    "VAE": _socket(_is_vae, "a VAE of pictures"),
    "CONDITIONING": lambda _declared, value, name: check_conditioning(value, name),
    "SIGMAS": _socket(_is_sigmas, "a scheduler's sigmas"),
    "BOUNDING_BOX": _socket(_is_region, "the region of Extend Canvas"),
    "RECOMPOSE_PATCH": _socket(lambda value: isinstance(value, Patch), "Patch"),
    "RECOMPOSE_CONTEXT": _socket(lambda value: isinstance(value, Context), "the context of Crop to Region"),
    "RECOMPOSE_CONCEPT": _socket(lambda value: isinstance(value, Concept), "Load Concept or Train Concept"),
    "EXEMPLAR_ENCODER": _socket(_is_exemplar_encoder, "Load Exemplar Model"),
    "RECOMPOSE_BRUSH_OBJECT": _socket(lambda value: isinstance(value, BrushObject), "SmartBrush Object"),
    "SAMPLER": _socket(lambda value: callable(getattr(value, "sample", None)), "KSamplerSelect"),
    "RECOMPOSE_INVERSION": _socket(
        lambda value: isinstance(value, Inversion), "the inversion of Invert Latent"
    ),
}
