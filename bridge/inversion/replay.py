"""Replay Source: rows of a batch that follow an inversion's states whatever the sampler does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...core.inversion.trajectory import Inversion, replaced
from .slope import OVERWRITTEN, schedule_of

NAME = "Replay Source"
KEY = "recompose replay"


class Replay:
    """Wrappers around a run and around each of the model's answers; neither keeps anything between runs."""

    def __init__(self, inversion: Inversion, row: int) -> None:
        self.inversion, self.row = inversion, row

    def run(
        self, execute: Callable[..., Tensor], guider: Any, sigmas: Tensor, *rest: Any, **named: Any
    ) -> Tensor:
        """Refuse what cannot be replayed before the model is asked, and end on the inversion's state."""
        noise = named["noise"] if "noise" in named else rest[2]
        inner, end = guider.inner_model, sigmas[-1].clone()
        if abs(float(end) - self.inversion.sigmas[0]) < OVERWRITTEN:
            end.fill_(self.inversion.sigmas[0])
        self.check(noise, inner)
        found = execute(guider, sigmas, *rest, **named)
        state = self.inversion.at(float(end)).to(found)
        return replaced(found, inner.model_sampling.inverse_noise_scaling(end, state), self.row)

    def answer(
        self, execute: Callable[..., Tensor], x: Tensor, sigma: Tensor, *rest: Any, **named: Any
    ) -> Tensor:
        """Show the model the inversion's state of this sigma, and give the clean latent as its answer."""
        states = self.inversion.at(float(sigma.flatten()[0]))
        answer = execute(replaced(x, states, self.row), sigma, *rest, **named)
        return replaced(answer, self.inversion.clean(), self.row)

    def check(self, x: Tensor, inner: Any) -> None:
        """ValueError unless rows of this shape and kind of latent were inverted."""
        states, form = self.inversion.states[0], type(inner.latent_format).__name__
        path = schedule_of(inner.model_sampling, NAME)
        if (form, path) != (self.inversion.latent_format, self.inversion.path):
            raise ValueError(
                f"{NAME}: expected a model of the kind that the latent was inverted with "
                f"({self.inversion.latent_format}, {self.inversion.path.kind.value}), got another ({form}, "
                f"{path.kind.value}); invert it with this model."
            )
        if x.shape[1:] != states.shape[1:]:
            raise ValueError(
                f"{NAME}: the inverted latent has the shape {list(states.shape[1:])} but the batch's rows "
                f"are {list(x.shape[1:])}; sample at the size of the photo."
            )
        if self.row + len(states) > len(x):
            raise ValueError(
                f"{NAME}: {len(states)} inverted rows from row {self.row} on do not fit into a batch of "
                f"{len(x)}; lower row or make the batch larger."
            )


def replay(model: Any, inversion: Inversion, row: int) -> Any:
    """A clone of the MODEL whose rows from `row` on follow the inversion as it is sampled."""
    patched, wrappers = model.clone(), Replay(inversion, row)
    patched.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, KEY, wrappers.run)
    patched.add_wrapper_with_key(WrappersMP.PREDICT_NOISE, KEY, wrappers.answer)
    return patched
