"""Every node with odd inputs of every type: numbers or one sentence of ours, never a raw error."""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from recompose.core.attention.record import Part, Prompt, Record, Records
from recompose.core.canvas.crop import Context
from recompose.core.canvas.stitch import Patch
from recompose.core.concepts.concept import Concept
from recompose.core.inversion.trajectory import Inversion
from recompose.core.pose.person import Frame
from recompose.core.sampling.noise_schedule import Kind, NoiseSchedule
from recompose.core.shapes import Box, Size
from recompose.core.smartbrush.thing import BrushObject
from recompose.tests.in_comfyui.attention import models as unets
from recompose.tests.in_comfyui.concepts.conftest import WIDTH as WORDS
from recompose.tests.in_comfyui.concepts.conftest import small_clip
from recompose.tests.in_comfyui.fuzz import values
from recompose.tests.in_comfyui.fuzz.values import HEIGHT, WIDTH
from recompose.tests.in_comfyui.sampling.conftest import Network

ROOT = Path(__file__).resolve().parents[3]
BRUSHES = "recompose.bridge.smartbrush"
CROSS_KEY = "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
OURS = tuple(str(ROOT / folder) for folder in ("bridge", "core", "nodes"))
SENTENCE = re.compile(r"^(\S.{20,900})[.)]$", re.DOTALL)
EDIT = json.loads((ROOT / "tests" / "data" / "astronaut_pose.json").read_text())
# How many inputs each node gets; a sampler's run costs a hundred times a mask's.
MANY = {
    "RePaint": 40,
    "LagrangeInpaint": 40,
    "BlipCaption": 60,
    "DetectPose": 60,
    "InvertLatent": 40,
    "SmartBrushSampler": 60,
}
NODES = [
    ("canvas", "ExtendCanvas"), ("canvas", "CropToRegion"), ("canvas", "StitchBack"), ("canvas", "MakePatch"),
    ("mask", "FeatherMask"), ("mask", "SnapMaskToLatent"), ("caption", "BlipCaption"),
    ("detect", "DetectPose"), ("pose", "LoadPose"), ("pose", "CompletePose"), ("pose", "DrawPose"),
    ("pose", "LimbMask"), ("pose_edit", "EditPose"), ("sampling", "RePaintSampler"), ("sampling", "RePaint"),
    ("sampling", "LagrangeSampler"), ("sampling", "LagrangeInpaint"), ("sampling", "InpaintScheduler"),
    ("attention", "MutualAttention"), ("attention", "SameNoise"), ("attention", "Rows"),
    ("attention", "ControlRows"),
    ("inversion", "InvertLatent"), ("inversion", "ReplaySource"),
    ("attention_maps", "RecordAttention"), ("attention_maps", "AttentionMaps"), ("word_mask", "WordMask"),
    ("shape_guard", "ShapeGuard"), ("shape_guard", "ShapeGuardMask"),
    ("concepts", "LoadConcept"), ("concepts", "MergeConcepts"), ("concepts", "SaveConcept"),
    ("shape", "MaskPrecision"), ("shape", "GuessPrecision"),
    ("smartbrush", "LoadSmartBrush"), ("smartbrush", "SmartBrushObject"), ("smartbrush", "SmartBrushSampler"),
    ("exemplar", "LoadExemplarModel"), ("exemplar", "ExemplarConditioning"),
    ("sketch", "DrawSketch"), ("sketch", "ExtractSketch"), ("sketch", "SelfReference"),
]  # fmt: skip


def spot() -> torch.Tensor:
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 6:15, 8:20] = 1
    return mask


def region() -> dict:
    return {"x": 0, "y": 0, "width": WIDTH, "height": 16, "canvas_width": WIDTH, "canvas_height": HEIGHT}


def encoded(pixels: torch.Tensor) -> torch.Tensor:
    """Pictures as a latent of four channels."""
    small = torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), 8)
    return torch.cat((small, small[:, :1]), 1)


def context() -> Context:
    return Context(Size(WIDTH, HEIGHT), Box(4, 4, 16, 16), Size(16, 16))


def inverted(samples: torch.Tensor) -> Inversion:
    return Inversion((0.0, 1.0), (samples, samples + 1), NoiseSchedule(Kind.VE), "SD15")


def recorded(samples: torch.Tensor, words: torch.Tensor) -> Records:
    """A record of a run that made the samples, of one part."""
    size = Size(samples.shape[-1], samples.shape[-2])
    sums = torch.rand(len(samples), size.height, size.width, words.shape[1])
    records = Records()
    prompt = Prompt(words, [Part("decoder", (0,), None, size, sums, 1)])
    records.add(Record(size, 8, 1, [prompt], samples))
    return records


def guarded(samples: torch.Tensor) -> Any:
    """The mask of a guarded run that made the samples."""
    guard = importlib.import_module("recompose.bridge.attention.guard")
    size = Size(samples.shape[-1], samples.shape[-2])
    guards, mask = guard.Guards(), torch.rand(len(samples), 1, size.height, size.width)
    given = torch.ones(1, 1, 8 * size.height + 1, 8 * size.width + 3)
    made = guard.Guarded(size, 8, 1, [], samples, mask=mask, coarse=torch.ones_like(mask), given=given)
    guards.add(made)
    return guards


def concept() -> Concept:
    """A concept for the small UNet, with a word."""
    weights = torch.rand(32, WORDS, generator=torch.Generator().manual_seed(1))
    word = torch.rand(WORDS, generator=torch.Generator().manual_seed(2))
    return Concept({CROSS_KEY: weights}, {"<new1>": {"clip_l": word}})


def brush_model() -> Any:
    """A model of SmartBrush around a network that takes any words."""
    network, base = map(importlib.import_module, (f"{BRUSHES}.network", "comfy.model_base"))

    class Predicting(Network):
        def forward(self, x: torch.Tensor, step: torch.Tensor, *more: Any, **named: Any) -> torch.Tensor:
            answer, options = super().forward(x, step, *more, **named), named["transformer_options"]
            options[network.BRUSH].keep(answer[:, :1], options["cond_or_uncond"])
            return answer

    settings = {"disable_unet_model_creation": True, "in_channels": 5}
    config = importlib.import_module("comfy.supported_models_base").BASE(settings)
    inner = network.SmartBrushModel(config, base.ModelType.EPS)
    inner.diffusion_model = Predicting(4, 4, 4)
    inner.latent_format = importlib.import_module("comfy.latent_formats").SD15()
    return unets.patcher(inner)


class Inputs:
    """A sound and an odd value for every declared input."""

    def __init__(self, world: Any) -> None:
        self.world = world
        samples = torch.rand(1, 4, 3, 4)
        self.samples = samples
        picture, crop = torch.rand(1, HEIGHT, WIDTH, 3), torch.rand(1, 16, 16, 3)
        patch = Patch(crop.permute(0, 3, 1, 2), torch.ones(1, 1, 16, 16), context())
        vae = SimpleNamespace(spacial_compression_encode=lambda: 8, encode=encoded)
        tokenizer = importlib.import_module("comfy.sd1_clip").SD1Tokenizer()
        clip = SimpleNamespace(
            tokenizer=tokenizer, tokenize=tokenizer.tokenize_with_weights,
            encode_from_tokens_scheduled=lambda _: world.positive,
        )  # fmt: skip
        self.sound = {
            "IMAGE": picture, "MASK": spot(), "LATENT": values.latent(samples), "MODEL": world.model,
            "CONDITIONING": world.positive, "VAE": vae, "CLIP": clip, "SIGMAS": torch.arange(9.0, -1, -1),
            "POSE_KEYPOINT": values.pose(), "BOUNDING_BOX": region(), "RECOMPOSE_CONTEXT": context(),
            "RECOMPOSE_PATCH": patch, "RECOMPOSE_INVERSION": inverted(samples), "COLOR": "#80a0ff",
            "STRING": "", "ATTENTION": recorded(samples, torch.rand(1, 154, 8)),
            "RECOMPOSE_GUARD": guarded(samples),
            "EXEMPLAR_ENCODER": SimpleNamespace(
                encode=lambda pixels: pixels.mean((1, 2))[:, None], null=torch.zeros(1, 1, 8), side=8,
                takes_sketch=True, antialias=False,
            ),
        }  # fmt: skip

    def of_concepts(self) -> Inputs:
        """With a text encoder that learns words, and a model that reads it."""
        model = unets.unet(settings={**unets.UNET, "context_dim": WORDS}).model
        self.sound |= {"MODEL": model, "CLIP": small_clip("SD1"), "RECOMPOSE_CONCEPT": concept()}
        return self

    def of_brush(self) -> Inputs:
        """With a model that predicts a mask, a thing to paint and a sampler."""
        euler = importlib.import_module("comfy.samplers").sampler_object("euler")
        thing = BrushObject(self.world.positive, spot()[:, None], 5)
        self.sound |= {"MODEL": brush_model(), "SAMPLER": euler, "RECOMPOSE_BRUSH_OBJECT": thing}
        return self

    def value(self, declared: Any) -> Any:
        """What a sound prompt holds at this input."""
        kind = declared.get_io_type()
        if declared.id == "text":
            return json.dumps(values.pose()[0])
        if kind == "COMFY_DYNAMICCOMBO_V3":
            option = declared.options[0]
            return {declared.id: option.key, **{each.id: self.value(each) for each in option.inputs}}
        if kind == "COMFY_AUTOGROW_V3":
            return {f"{declared.template.prefix}0": self.sound[declared.template.input.get_io_type()]}
        if declared.id == "generated":
            return torch.rand(1, 16, 16, 3)
        if kind in self.sound:
            return self.sound[kind]
        if kind == "COMBO" and declared.default is None:
            return next(iter(declared.options), "")
        return declared.default

    def odd(self, declared: Any) -> st.SearchStrategy:
        """What may come there as well."""
        kind = declared.get_io_type()
        known = {
            "LATENT": lambda: values.latents(self.samples),
            "CONDITIONING": values.conditionings,
            "SIGMAS": values.sigmas,
            "POSE_KEYPOINT": lambda: st.one_of(values.mutated(values.pose()), values.anything()),
            "BOUNDING_BOX": lambda: st.one_of(values.mutated(region()), values.anything()),
            "STRING": lambda: values.json_texts(EDIT if declared.id == "edit" else values.pose()),
            "COMFY_DYNAMICCOMBO_V3": lambda: self.dynamic(declared),
            "COMFY_AUTOGROW_V3": lambda: st.one_of(
                st.dictionaries(
                    st.sampled_from([f"{declared.template.prefix}{n}" for n in "07"]), values.anything()
                ),
                values.anything(),
            ),
        }
        if kind in known:
            return known[kind]()
        if kind in ("INT", "FLOAT"):
            return st.one_of(st.sampled_from(values.NUMBERS), st.sampled_from(edges(declared)))
        if kind in ("COMBO", "BOOLEAN"):
            valid = list(getattr(declared, "options", [True, False])) or [""]
            return st.one_of(st.sampled_from(valid), st.sampled_from(values.OTHERS))
        return values.anything()

    def dynamic(self, declared: Any) -> st.SearchStrategy:
        def of(option: Any) -> st.SearchStrategy:
            inner = {each.id: st.one_of(st.just(self.value(each)), self.odd(each)) for each in option.inputs}
            return st.fixed_dictionaries({declared.id: st.just(option.key), **inner})

        return st.one_of(*(of(option) for option in declared.options), st.sampled_from(values.OTHERS))

    def given(self, kind: Any) -> st.SearchStrategy:
        """Sound inputs of which up to three are odd; optional ones may be missing."""
        declared = {each.id: each for each in kind.define_schema().inputs}
        odd = {name: self.odd(each) for name, each in declared.items()}

        @st.composite
        def draw(pick: st.DrawFn) -> dict[str, Any]:
            left_out = pick(st.sets(st.sampled_from(sorted(declared)), max_size=6))
            changed = pick(st.sets(st.sampled_from(sorted(declared)), min_size=1, max_size=3))
            given = {}
            for name, each in declared.items():
                if name in changed:
                    given[name] = pick(odd[name])
                elif not (each.optional and name in left_out):
                    given[name] = self.value(each)
            return given

        return draw()


def edges(declared: Any) -> list:
    """The ends of a declared range and just outside; no large value that is allowed, for it may cost much."""
    low, high = declared.min, declared.max
    return [declared.default, low, low - 1, high + 1, low + (1 if isinstance(low, int) else 0.01)]


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def inputs(world: Callable, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    """Inputs, and a detector that finds nobody in place of the libraries'."""
    module = importlib.import_module("recompose.bridge.detectors.detect")

    def nobody(picture: torch.Tensor) -> Frame:
        return Frame(Size(picture.shape[3], picture.shape[2]))

    monkeypatch.setattr(module, "open_detector", lambda choice, threshold: nobody)
    # Drawing the preview's many pixels is not what is looked at here.
    return Inputs(world("eps"))


def is_ours(error: Exception) -> bool:
    """Whether an error is a sentence that our code gives."""
    where = traceback.extract_tb(error.__traceback__)[-1].filename
    return type(error) in (ValueError, RuntimeError) and where.startswith(OURS) and is_sentence(str(error))


def is_sentence(text: str) -> bool:
    return bool(SENTENCE.match(text)) and "\n" not in text


def numbers(value: Any) -> list[torch.Tensor]:
    """The tensors of an output."""
    if isinstance(value, torch.Tensor):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for each in inner for tensor in numbers(each)]


@pytest.mark.parametrize(("module", "name"), NODES, ids=[name for _, name in NODES])
def test_a_result_or_a_sentence(
    module: str, name: str, inputs: Inputs, comfy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = getattr(importlib.import_module(f"recompose.nodes.{module}"), name)

    failed: dict[str, str] = {}
    if module == "concepts":
        monkeypatch.setattr(importlib.import_module("folder_paths"), "output_directory", str(tmp_path))
        inputs = inputs.of_concepts()
    if module == "smartbrush":
        inputs = inputs.of_brush()

    @seed(20)
    @settings(
        max_examples=MANY.get(name, 150), deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(inputs.given(kind))
    def run(found: dict[str, Any]) -> None:
        try:
            with torch.inference_mode(), contextlib.redirect_stdout(None):
                ask_lazily(kind, found)
                made = kind.execute(**found)
        except Exception as error:
            if not is_ours(error):
                failed.setdefault(told(error), brief(found, inputs))
            return
        if not all(torch.isfinite(tensor).all() for tensor in numbers(list(made.args))):
            failed.setdefault("a result with NaN", brief(found, inputs))

    run()
    assert not failed, "\n".join(f"{error}\n    {given}" for error, given in failed.items())


def ask_lazily(kind: Any, found: dict[str, Any]) -> None:
    """Ask for what is still needed, as ComfyUI does before a node with lazy inputs runs."""
    lazy = {each.id for each in kind.define_schema().inputs if getattr(each, "lazy", None)}
    if lazy:
        kind.check_lazy_status(**{name: None if name in lazy else value for name, value in found.items()})


def told(error: Exception) -> str:
    """An error by its kind, its place in our code and its beginning."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(OURS)]
    place = f"{Path(frames[-1].filename).relative_to(ROOT)}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:160]}"


def brief(found: dict[str, Any], inputs: Inputs) -> str:
    """The inputs that are not the sound ones, each on a part of one line."""
    sound = list(inputs.sound.values())
    odd = {name: value for name, value in found.items() if not any(value is each for each in sound)}
    return ", ".join(f"{name}={shown(value)}" for name, value in odd.items())


def shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{value.dtype} {'nested' if value.is_nested else list(value.shape)} {value.layout}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(shown, value[:30])) + "]"
    return " ".join(repr(value).split())[:60]
