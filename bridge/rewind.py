"""Set back what follows the steps of a run, for a sampler that goes back up in noise."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def rewind(model_wrap: Any, options: dict[str, Any], sigmas: Tensor, step: int) -> None:
    """Have everything that counts on sigmas that descend stand as before the call at `sigmas[step]`.

    ComfyUI's EasyCache and LazyCache begin anew, and keyframes of hooks are where a sampler that only
    descends would have brought them.
    """
    transformer = options.get("transformer_options", {})
    if "easycache" in transformer:  # the key of both
        fresh = transformer["easycache"].clone()
        transformer["easycache"] = fresh.prepare_timesteps(model_wrap.inner_model.model_sampling)
    groups = hook_groups(model_wrap)
    frames = (hook.hook_keyframe for group in groups for hook in group.hooks)
    moving = [each for each in frames if len(each.keyframes) > 1]
    if not moving:
        return
    patcher = model_wrap.inner_model.current_patcher
    patcher.clear_cached_hook_weights()  # they are of the keyframe that was
    for keyframes in moving:
        keyframes.reset()
    for sigma in sigmas[:step]:
        for group in groups:
            patcher.prepare_hook_patches_current_keyframe(sigma.reshape(1), group, options)


def hook_groups(model_wrap: Any) -> list[Any]:
    """The groups of hooks in the guider's conditionings, each once."""
    conditionings = (each for many in getattr(model_wrap, "conds", {}).values() for each in many)
    found = {id(each["hooks"]): each["hooks"] for each in conditionings if each.get("hooks") is not None}
    return list(found.values())
