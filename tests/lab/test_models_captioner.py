"""The captioner's folder as transformers 4.50.3 and the newest read it; its words one piece each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from recompose.lab.toy import assemble, world
from recompose.lab.toy.models import beginning, captioner, folder_of_captioner, parts, vocabulary

TEXT = "a woman with long red hair in an orange coat, blue trousers and zigzag boots"
# Answers as JSON; runs alone so that either transformers can be the only one.
PROGRAM = """
import json, sys, torch
import transformers
from transformers import BlipForConditionalGeneration, BlipProcessor
folder = sys.argv[1]
model, loading = BlipForConditionalGeneration.from_pretrained(folder, output_loading_info=True)
model = model.eval()
processor = BlipProcessor.from_pretrained(folder)
image = (torch.arange(3 * 150 * 90, dtype=torch.float32).reshape(150, 90, 3) % 251).byte().numpy()
inputs = processor(images=image, text="full body photo of", return_tensors="pt")
said = model.generate(**inputs, num_beams=3, min_new_tokens=5, max_new_tokens=12)
ids = processor.tokenizer(sys.argv[2])["input_ids"]
print(json.dumps({
    "version": transformers.__version__,
    "missing": sorted(loading["missing_keys"]), "unexpected": sorted(loading["unexpected_keys"]),
    "dtype": str(next(model.parameters()).dtype),
    "ids": ids, "back": processor.tokenizer.decode(ids, skip_special_tokens=True),
    "specials": processor.tokenizer.convert_tokens_to_ids("[PAD] [UNK] [CLS] [SEP] [DEC] [ENC]".split()),
    "without specials": processor.tokenizer.decode([30522, 102, 0], skip_special_tokens=True),
    "size": list(inputs["pixel_values"].shape), "said": said[0].tolist(),
}))
"""


def answers(folder: Path, overlay: str | None) -> dict:
    """What transformers, or the one in `overlay`, makes of the folder."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"} | ({"PYTHONPATH": overlay} if overlay else {})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), TEXT],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("captioner")
    network = captioner.captioner(3)
    with torch.no_grad():  # else nothing but the unused filler ids would be said
        network.text_decoder.cls.predictions.bias[1000:1120] = 4
    parts.write(made, "captioner", network.state_dict(), {})
    for name, content in folder_of_captioner.with_weights(parts.read(made, "captioner")[0]).items():
        assemble.replace(made / "blip" / name, content)
    return made / "blip"


def test_both_transformers_read_the_folder_alike(folder: Path) -> None:
    overlay = os.environ.get("RECOMPOSE_OVERLAY_TRANSFORMERS4")
    assert overlay, "RECOMPOSE_OVERLAY_TRANSFORMERS4 is not set; `python3 cli test` sets it."
    oldest, newest = answers(folder, overlay), answers(folder, None)
    assert (oldest.pop("version"), newest.pop("version").split(".")[0]) == ("4.50.3", "5")
    assert newest == oldest
    assert newest["missing"] == newest["unexpected"] == []
    assert newest["dtype"] == "torch.float32"
    assert newest["size"] == [1, 3, 120, 120]
    assert newest["specials"] == [0, 100, 101, 102, 30522, 30523]
    assert newest["without specials"] == ""
    prompt = [vocabulary.lines(folder_of_captioner.words()).index(word) for word in vocabulary.PROMPTS[:4]]
    assert newest["said"][:5] == [30522, *prompt]


def test_every_word_of_the_world_is_one_piece(folder: Path) -> None:
    found = answers(folder, None)
    lines = vocabulary.lines(folder_of_captioner.words())
    pieces = [lines[index] for index in found["ids"]]
    assert pieces[0] == "[CLS]" and pieces[-1] == "[SEP]" and "[UNK]" not in pieces
    assert pieces[1:-1] == [
        *TEXT.replace(",", " ,").split()[:-2],
        "z",
        "##i",
        "##g",
        "##z",
        "##a",
        "##g",
        "boots",
    ]
    assert found["back"].replace(" ,", ",") == TEXT
    assert set(world.vocabulary()) <= set(lines)


def test_the_list_has_berts_and_blips_special_ids() -> None:
    lines = vocabulary.lines(folder_of_captioner.words())
    assert len(lines) == len(set(lines)) == captioner.TEXT["vocab_size"] == 30524
    assert {index: lines[index] for index in vocabulary.SPECIAL} == vocabulary.SPECIAL


def test_training_scores_are_the_models_scores(comfy: ModuleType) -> None:
    from recompose.lab.train.captioner import Words

    network, words = captioner.captioner(4).eval(), Words()
    pixels = torch.randn(2, 3, 120, 120, generator=torch.Generator().manual_seed(1))
    tokens = torch.tensor([[30522, *words.of(TEXT.replace("zigzag ", ""))]] * 2)
    with torch.no_grad():
        seen = network.vision_model(pixel_values=pixels)[0]
        ours = captioner.word_scores(network, seen, tokens, words.known)
        theirs = network(pixel_values=pixels, input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits
    torch.testing.assert_close(ours, theirs[..., words.known], rtol=1e-4, atol=1e-4)


def test_a_fresh_eye_looks_at_the_neighbours() -> None:
    vision = captioner.captioner(5).vision_model
    plain = torch.zeros(1, 3, 120, 120)
    middle, side = 5 * 12 + 5, 12
    with torch.no_grad():
        states = vision.embeddings(plain)
        for number, layer in enumerate(vision.encoder.layers[:4]):
            attention = layer.self_attn
            query, key, _ = (
                attention.qkv(layer.layer_norm1(states))
                .view(1, side * side + 1, 3, attention.num_heads, attention.head_dim)
                .permute(2, 0, 3, 1, 4)
            )
            weights = (query @ key.transpose(-1, -2) * attention.scale).softmax(-1)[0, :, 1 + middle, 1:]
            reach = beginning.REACH[number]
            steps = [reach * (columns + side * rows) for columns, rows in beginning.SIDES]
            assert (weights.argmax(-1)[:4] - middle).tolist() == steps
            states = layer(states)
