"""The table of toy models: a new row is all that its readers need, and reading it loads no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from recompose.lab.commands import figures, train_demo
from recompose.lab.evaluate.models import catalogue
from recompose.lab.setup import models
from recompose.lab.toy import assemble, table
from recompose.lab.toy.models import parts
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
PLACE = "classifiers/recompose_demo_planted.safetensors"
PLANTED = table.ToyModel(
    "planted",
    network="lab.toy.models.networks:autoencoder",
    trainer="lab.train.vae:task",
    needs=("vae",),
    figures={"planted eyes": "lab.evaluate.models.vae:measure"},
    installed=(PLACE,),
)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> table.ToyModel:
    monkeypatch.setitem(table.MODELS, "planted", PLANTED)
    return PLANTED


def test_without_the_row_nobody_knows_the_model(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        parts.read(tmp_path, "planted")
    assert PLACE not in table.installed() and "planted eyes" not in catalogue.names()
    for parser in (train_demo.parser(), figures.parser()):
        with pytest.raises(SystemExit):
            parser.parse_args(["planted"])


def test_a_row_is_all_that_a_new_model_needs(planted: table.ToyModel, tmp_path: Path) -> None:
    for model in table.MODELS.values():
        key, value = "weight", torch.ones(3, 9)
        if model.name == "unet":
            key = assemble.FIRST.removeprefix(model.prefix)
        elif model.name == "captioner":
            key, value = "text_decoder.bert.embeddings.word_embeddings.weight", torch.ones(3, 2)
        weights = {key: value} | (
            {f"{parts.BLIP_HEAD}bias": value[:, 0]} if model.name == "captioner" else {}
        )
        before = models.version(tmp_path)
        parts.write(tmp_path, model.name, weights, {"steps": 1})
        assert (models.version(tmp_path) != before) == bool(model.installed), model.name
    assert parts.read(tmp_path, "planted")[1] == {"steps": "1"}
    assert train_demo.parser().parse_args(["planted"]).name == "planted"
    assert figures.parser().parse_args(["planted eyes"]).name == "planted eyes"
    assert assemble.assemble(tmp_path, tmp_path / "models")[PLACE].is_file()


def test_a_row_needs_what_stands_before_it() -> None:
    known: list[str] = []
    for model in table.MODELS.values():
        assert set(model.needs) <= set(known), model.name
        known.append(model.name)


def test_a_training_is_refused_without_the_weights_it_needs(
    comfy: object, planted: table.ToyModel, tmp_path: Path
) -> None:
    from recompose.lab.train import catalogue
    from recompose.lab.train.places import Places

    places = Places(tmp_path / "weights", tmp_path / "cache")
    with pytest.raises(RuntimeError, match=r"vae\.safetensors is missing"):
        catalogue.task("planted", {}, places)


def test_every_function_of_the_table_is_there(comfy: object) -> None:
    for model in table.MODELS.values():
        assert isinstance(model.build(), nn.Module)
        for path in filter(None, (model.trainer, *model.figures.values(), model.writer)):
            assert callable(table.function(path))
        assert (ROOT / "lab" / "train" / "configs" / f"{model.name}.json").is_file()
        assert (ROOT / "lab" / "results" / "cards" / f"{model.name}.md").is_file()
        assert all(path.is_file() for path in model.data_files())


def test_listing_the_models_loads_no_torch() -> None:
    code = (
        "import sys; from types import ModuleType; alias = ModuleType('recompose');"
        f"alias.__path__ = [{str(ROOT)!r}]; sys.modules['recompose'] = alias;"
        "from recompose.lab.commands import figures, train_demo; from recompose.lab.setup import models;"
        "figures.parser(); train_demo.parser(); models.version(models.WEIGHTS);"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
