"""Wrong inputs of the attention and inversion nodes through a real server: one sentence of ours each.

The templates of one person in several pictures, small and with few steps, with one thing wrong at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recompose.cli.comfy import workflow
from recompose.cli.comfy.client import Refused
from recompose.lab.toy import templates

DEMO = Path(__file__).resolve().parents[2] / "docs" / "demo"
SMALL = {"width": 64, "height": 96}
QUICK: dict[str, dict[str, Any]] = {
    "KSampler": {"steps": 2, "sampler_name": "euler"},
    "RecomposeInvertLatent": {"steps": 4, "scheduler": "normal"},
    "EmptyLatentImage": SMALL,
    "RecomposeCropToRegion": SMALL,
}
SAME, POSED, EDITED = templates.SAME, templates.POSED, templates.EDITED
Change = Callable[[dict], object]


def composed(name: str) -> dict:
    found = templates.compose(name, "photo.png", (DEMO / "photo_pose.json").read_text())
    for node in found.values():
        node["inputs"].update(QUICK.get(node["class_type"], {}))
    return found


def put(target: str, value: Any) -> Change:
    """Set "Title.input" to a value, to the link that a function of the prompt gives, or to nothing."""

    def change(prompt: dict) -> None:
        node, name = workflow.locate(prompt, target)
        prompt[node]["inputs"][name] = value(prompt) if callable(value) else value
        if value is None:
            del prompt[node]["inputs"][name]

    return change


def several(*changes: Change) -> Change:
    return lambda prompt: [change(prompt) for change in changes]


def linked(title: str, output: int = 0) -> Change:
    return lambda prompt: [workflow.find(prompt, title), output]


def made(kind: str, **inputs: Any) -> Change:
    """A further node; inputs that are functions of the prompt are links."""

    def add(prompt: dict) -> list:
        given = {name: value(prompt) if callable(value) else value for name, value in inputs.items()}
        identity = f"more {len(prompt)}"
        prompt[identity] = {"class_type": kind, "inputs": given}
        return [identity, 0]

    return add


def mask(width: int, height: int, value: float = 1.0) -> Change:
    return made("SolidMask", width=width, height=height, value=value)


def masked(source: Change, target: Change) -> Change:
    names = ("mode", "mask_source", "mask_target")
    values = ("masked", source, target)
    return several(
        *(put(f"Mutual Attention.{name}", value) for name, value in zip(names, values, strict=True))
    )


def three(one: Change) -> Change:
    batch = made("RepeatImageBatch", image=made("MaskToImage", mask=one), amount=3)
    return made("ImageToMask", image=batch, channel="red")


SCHEDULE = made("BasicScheduler", model=linked("Checkpoint"), scheduler="normal", steps=3, denoise=1.0)
RANGES = "cannot be read at .*; write for example 4-, 4-40, 4,6,8-12, 8%-50% or -4- .*"
WRONG: dict[str, tuple[str, Change, str]] = {
    "no target": (SAME, put("Rows.target_prompts", ""), "Rows needs at least two rows, .* has 1; .*"),
    "blank targets": (
        SAME,
        put("Rows.target_prompts", " \n\t\n"),
        "Rows needs at least two rows, .* has 1; .*",
    ),
    "no prompt": (
        SAME,
        several(put("Rows.target_prompts", ""), put("Rows.source_prompt", "")),
        "Rows needs at least two rows, .* has 0; .*",
    ),
    "no clip": (SAME, put("Rows.clip", None), "Rows needs clip .*"),
    "a ControlNet before Rows": (
        POSED,
        several(
            put("Apply ControlNet.positive", linked("Negative")),
            put("Rows.conditionings.conditioning0", linked("Apply ControlNet")),
            put("KSampler.positive", linked("Rows")),
            put("KSampler.negative", linked("Negative")),
        ),
        "Rows: the conditionings have different ControlNets; .*",
    ),
    "one row": (SAME, put("KSampler.latent_image", linked("Size")), "Mutual Attention needs .* two rows, .*"),
    "a source beyond the batch": (
        SAME,
        put("Mutual Attention.source_rows", "7"),
        "Mutual Attention: source_rows names 7 but there are only 0 to 2; .*",
    ),
    "a source below the batch": (
        SAME,
        put("Mutual Attention.source_rows", "-4"),
        ".* names -4 .* 0 to 2; .*",
    ),
    "words without texts": (
        SAME,
        put("Mutual Attention.mode", "masked, from words"),
        ".* needs clip, text_source, text_target, words_source; .*",
    ),
    "a word that is not in the text": (
        SAME,
        several(
            put("Mutual Attention.mode", "masked, from words"),
            put("Mutual Attention.clip", linked("Checkpoint", 1)),
            put("Mutual Attention.text_source", "a man on a beach"),
            put("Mutual Attention.text_target", "a man that runs"),
            put("Mutual Attention.words_source", "beach"),
        ),
        'Mutual Attention: words_target: "beach" is not in the text; its words are a, man, that, runs.',
    ),
    "sources only": (SAME, put("Mutual Attention.source_rows", "0-2"), ".* but names all of them.*"),
    "a range that runs back": (
        SAME,
        put("Mutual Attention.source_rows", "2-0"),
        ".* but names none of them.*",
    ),
    "no source": (SAME, put("Mutual Attention.source_rows", ""), f"Mutual Attention: source_rows {RANGES}"),
    "a source in words": (SAME, put("Mutual Attention.source_rows", "first"), f".*source_rows {RANGES}"),
    "steps in words": (SAME, put("Mutual Attention.steps", "4 to 9"), f"Mutual Attention: steps {RANGES}"),
    "steps of commas": (SAME, put("Mutual Attention.steps", ",,"), f"Mutual Attention: steps {RANGES}"),
    "an unknown word": (
        SAME,
        put("Mutual Attention.layers", "deep"),
        f".*layers {RANGES}, or a word: encoder, middle, decoder, all.*",
    ),
    "layers beyond the last": (
        SAME,
        put("Mutual Attention.layers", "20"),
        ".* none of the model's layers 0 to 15.*",
    ),
    "keep NaN": (
        SAME,
        put("Mutual Attention.keep", float("nan")),
        "Mutual Attention: keep must be a number .* nan; .*",
    ),
    "masked without masks": (
        SAME,
        put("Mutual Attention.mode", "masked"),
        ".* needs mask_source and mask_target; .*",
    ),
    "masks of another aspect": (
        SAME,
        masked(mask(64, 64), mask(64, 64)),
        "Mutual Attention: mask_source is 64×64 .* of another aspect; .*",
    ),
    "a mask too many": (
        SAME,
        masked(mask(64, 96), three(mask(64, 96))),
        ".*mask_target has a batch of 3 but 2 .*",
    ),
    "another number of latents": (
        SAME,
        put("Size.batch_size", 2),
        "Same Noise: the latent has 2 rows but 3 .*",
    ),
    "no ControlNet": (
        POSED,
        several(
            put("Control Rows.positive", linked("Rows")), put("Control Rows.negative", linked("Negative"))
        ),
        "Control Rows: neither conditioning has a ControlNet; .*",
    ),
    "a ControlNet of strength 0": (
        POSED,
        put("Apply ControlNet.strength", 0.0),
        "Control Rows: .* a strength above 0.*",
    ),
    "rows in words": (POSED, put("Control Rows.rows", "targets"), f"Control Rows: rows {RANGES}"),
    "no rows": (POSED, put("Control Rows.rows", ""), f"Control Rows: rows {RANGES}"),
    "a video": (
        EDITED,
        put("Invert Latent.latent", made("EmptyHunyuanLatentVideo", **SMALL, length=5, batch_size=1)),
        "Invert Latent: the latent is a video's .*",
    ),
    "cfg NaN": (
        EDITED,
        put("Invert Latent.cfg", float("nan")),
        "Invert Latent: cfg must be a number .* nan; .*",
    ),
    "sigmas that ascend": (
        EDITED,
        put("Invert Latent.sigmas", made("FlipSigmas", sigmas=SCHEDULE)),
        "The sigmas must descend .*",
    ),
    "other sigmas for its own sampler": (
        EDITED,
        several(put("Sample.sigmas", SCHEDULE), put("Sample.sampler", linked("Invert Latent", 1))),
        "O-BELM comes back along the 5 sigmas .* got 4, .*",
    ),
    "noise of another size": (
        EDITED,
        put("Sample.latent_image", made("EmptyLatentImage", width=128, height=64, batch_size=2)),
        "The inverted noise has the shape .*",
    ),
    "a photo of another size": (
        EDITED,
        several(
            put("Sample.latent_image", made("EmptyLatentImage", width=128, height=64, batch_size=2)),
            put("Sample.noise", made("RandomNoise", noise_seed=1)),
        ),
        "Replay Source: the inverted latent has the shape .*; sample at the size of the photo.*",
    ),
    "a row beyond the batch": (
        EDITED,
        put("Replay Source.row", 9),
        "Replay Source: 1 inverted rows from row 9 .*",
    ),
}


@pytest.mark.parametrize(("name", "change", "sentence"), WRONG.values(), ids=WRONG)
def test_it_ends_in_one_sentence(name: str, change: Change, sentence: str, server: Any) -> None:
    prompt = composed(name)
    change(prompt)
    outcome = server.run(prompt, {"photo.png": DEMO / "photo.png"})
    assert outcome.error["exception_type"] == "ValueError"
    message = outcome.error["exception_message"].strip()
    assert "\n" not in message and message.endswith(".") and message.count(". ") == 0
    pattern = sentence.removesuffix(".*") + ".*"
    assert re.fullmatch(pattern, message), message


CHOICES = {
    "mode": (SAME, "Mutual Attention.mode", "blend"),
    "keep below 0": (SAME, "Mutual Attention.keep", -1.0),
    "no rows": (SAME, "Same Noise.rows", 0),
    "method": (EDITED, "Invert Latent.method", "EDICT"),
    "a method without its settings": (EDITED, "Invert Latent.method", "fixed point"),
    "scheduler": (EDITED, "Invert Latent.scheduler", "magic"),
    "a row below 0": (EDITED, "Replay Source.row", -1),
}


@pytest.mark.parametrize(("name", "target", "value"), CHOICES.values(), ids=CHOICES)
def test_a_value_that_is_not_offered_is_refused_before_anything_runs(
    name: str, target: str, value: Any, server: Any
) -> None:
    prompt = composed(name)
    put(target, value)(prompt)
    (server.input_dir / "photo.png").write_bytes((DEMO / "photo.png").read_bytes())
    with pytest.raises(Refused) as refused:
        server.run(prompt)
    node, given = workflow.locate(prompt, target)
    errors = refused.value.body["node_errors"][node]["errors"]
    assert any(given in error["details"] or given in str(error["extra_info"]) for error in errors)


def test_a_long_prompt_beside_a_short_one_runs(server: Any) -> None:
    """More than 77 tokens in one row: the others are made as long."""
    prompt = composed(SAME)
    put("Rows.target_prompts", "a woman running on a beach " * 40 + "\na woman waving")(prompt)
    assert server.run(prompt).succeeded
