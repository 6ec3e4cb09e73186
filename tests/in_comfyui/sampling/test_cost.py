"""What the sampler asks of the device beside core's Euler: reads by the host and memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from recompose.core.sampling import lagrange, repaint
from recompose.core.sampling.noise_sampler import NoiseSampler
from recompose.core.sampling.noise_schedule import Kind, NoiseSchedule
from recompose.core.sampling.repaint import Settings
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = {
    "item",
    "tolist",
    "numpy",
    "cpu",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "__array__",
    "equal",
}
DISPATCHED = ("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "equal", "_unique")
CALLS = 9  # of core's euler in 9 steps, and of 5 steps with two jumps of 2


class Reads(TorchFunctionMode):
    """Counts what would make the host wait for a GPU, as Python asks for it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in READS:
            self.found.append(func.__name__)
        return func(*args, **(kwargs or {}))


class Kernels(TorchDispatchMode):
    """Counts the same below Python, and the bytes of all storages that live at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.given: set[int] = set()
        self.alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak, self.peak_outside = 0, 0
        self.inside = False  # a call of the model

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.__name__.split(".")[0] in DISPATCHED:
            self.found.append(func.__name__)
        for storage in storages((args, kwargs)):
            reference = StorageWeakRef(storage)
            if reference.cdata not in self.alive:
                self.given.add(reference.cdata)
        out = func(*args, **(kwargs or {}))
        for storage in storages(out):
            reference = StorageWeakRef(storage)
            if reference.cdata not in self.given:
                self.alive[reference.cdata] = (reference, storage.nbytes())
        self.alive = {key: entry for key, entry in self.alive.items() if not entry[0].expired()}
        now = sum(size for _, size in self.alive.values())
        self.peak = max(self.peak, now)
        self.peak_outside = max(self.peak_outside, 0 if self.inside else now)
        return out


def storages(tree: Any) -> Iterator[Any]:
    return (leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


@contextmanager
def counted(this: Any, *modes: Any) -> Iterator[None]:
    """The modes are on in the sampler, the model's calls included."""
    kind = importlib.import_module("comfy.patcher_extension").WrappersMP.SAMPLER_SAMPLE

    def around(execute: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        first, second = (*modes, nullcontext())[:2]
        with first, second:
            return execute(*arguments, **named)

    this.model.add_wrapper_with_key(kind, "count", around)
    yield
    this.model.remove_wrappers_with_key(kind, "count")


def samplers(bridge: ModuleType) -> dict[str, tuple[Any, int]]:
    euler = importlib.import_module("comfy.samplers").sampler_object("euler")
    return {
        "core": (euler, CALLS),
        "RePaint": (bridge.RePaint(Settings(2, 2)), 5),
        "Lagrange": (bridge.Lagrange(lagrange.Settings()), CALLS),
    }


@pytest.mark.parametrize("kind", ["eps", "v", "inpaint", "flow", "video"])
def test_the_host_reads_no_more_than_in_core_s_euler(kind: str, world: Callable, bridge: ModuleType) -> None:
    found = {}
    for name, (sampler, steps) in samplers(bridge).items():
        this, python, kernels = world(kind), Reads(), Kernels()
        inside: list[int] = []
        with counted(this, python, kernels):
            this.run(
                sampler, this.sigmas(steps),
                callback=lambda *_, p=python, k=kernels, i=inside: i.append(len(p.found) + len(k.found)),
            )  # fmt: skip
        assert len(inside) == CALLS
        found[name] = inside[-1] - inside[0]  # from the first call to the last: the loop
    assert max(found.values()) == found["core"]


PRETENDED = (
    (repaint, repaint.sample, Settings(2, 2, 0.0), 6),
    (repaint, repaint.sample, Settings(2, 2, 1.0), 6),
    (lagrange, lagrange.sample, lagrange.Settings(), CALLS + 1),
)


@pytest.mark.parametrize("method", PRETENDED, ids=("RePaint, eta 0", "RePaint, eta 1", "Lagrange"))
@pytest.mark.parametrize("path", [NoiseSchedule(Kind.VE), NoiseSchedule(Kind.FLOW)])
@pytest.mark.parametrize("value", [0.0, 0.4])
def test_on_a_pretended_gpu_nothing_is_read_in_the_loop(
    method: Any, path: NoiseSchedule, value: float, bridge: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pretended tensor has a device and no values, so that any read of them is an error."""
    module, sample, settings, levels = method
    sigmas = torch.linspace(1, 0, levels)
    heard: list[int] = []

    def run() -> None:
        with FakeTensorMode(allow_non_fake_inputs=True), Copies() as copies:
            latent = torch.zeros(2, 4, 8, 6, device="cuda")
            mask = torch.full_like(latent, value)
            inner = SimpleNamespace(
                scale_latent_inpaint=lambda x, sigma, noise, latent_image, **_more: (
                    latent_image + sigma.reshape(-1, 1, 1, 1) * noise
                )
            )
            wrap = SimpleNamespace(inner_model=inner)
            sample(
                lambda x, sigma: x / (1 + sigma.reshape(-1, 1, 1, 1)),
                latent, sigmas, NoiseSampler(1, latent), lambda call, *_: heard.append(call),
                known=bridge.observation_of(wrap, sigmas, {}, latent, mask), path=path, settings=settings,
            )  # fmt: skip
        assert copies.to_host == 0

    with pytest.raises(DataDependentOutputException):  # NaN is looked for, once, after the loop
        run()
    assert len(heard) == CALLS
    monkeypatch.setattr(module, "check_finite", lambda _x: None)
    run()


class Copies(TorchDispatchMode):
    """Counts what is copied from a GPU, pretended or not, to the host."""

    def __init__(self) -> None:
        super().__init__()
        self.to_host = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        before, after = (
            {leaf.device.type for leaf in tree_leaves(tree) if isinstance(leaf, Tensor) and leaf.ndim}
            for tree in ((args, kwargs), out)
        )
        self.to_host += "cuda" in before and "cpu" in after
        return out


def marked(this: Any, kernels: Kernels) -> None:
    """Tell the counter of the model's calls."""

    def around(execute: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        kernels.inside = True
        try:
            return execute(*arguments, **named)
        finally:
            kernels.inside = False

    kind = importlib.import_module("comfy.patcher_extension").WrappersMP.PREDICT_NOISE
    this.model.add_wrapper_with_key(kind, "mark", around)


@pytest.mark.parametrize("value", [0.0, 0.4])
@pytest.mark.parametrize("kind", ["eps", "flow", "video"])
def test_it_takes_at_most_three_latents_more_than_core_s_euler(
    kind: str, value: float, world: Callable, bridge: ModuleType
) -> None:
    whole, outside = {}, {}
    for name, (sampler, steps) in samplers(bridge).items():
        this, kernels = world(kind), Kernels()
        this.latent = this.latent.repeat(*[1] * (this.latent.ndim - 2), 8, 8)
        this.mask = this.mask.repeat(*[1] * (this.mask.ndim - 2), 8, 8).clamp(min=value)
        marked(this, kernels)
        with counted(this, kernels):
            this.run(sampler, this.sigmas(steps))
        whole[name], outside[name] = (
            peak / (this.latent.numel() * 4) for peak in (kernels.peak, kernels.peak_outside)
        )
    assert max(whole.values()) <= whole["core"] + 3
    assert max(outside.values()) <= outside["core"] + 3  # what a model without memory of its own would show
