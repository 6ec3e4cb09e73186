"""`cli train smartbrush`: what is refused before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from recompose.cli import train
from recompose.cli.train_smartbrush import parser


def options(folder: Path, **more: str) -> list[str]:
    (folder / "base.safetensors").write_bytes(b"")
    given = {"checkpoint": folder / "base.safetensors", "data": folder, "out": folder / "made.safetensors"}
    named = {**given, **more}
    return ["smartbrush", *(part for name, value in named.items() for part in (f"--{name}", str(value)))]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"out": "made.ckpt"}, "Expected a name that ends in .safetensors, got made.ckpt"),
        ({"steps": "0"}, "Expected --steps of at least 1, got 0; raise it."),
        ({"batch-size": "-2"}, "Expected --batch-size of at least 1, got -2; raise it."),
        ({"learning-rate": "0"}, "Expected a learning rate above 0, got 0.0; raise it."),
        ({"data": "nowhere"}, "Expected --data, got no file nowhere; give its path."),
        ({"checkpoint": "none.ckpt"}, "Expected --checkpoint, got no file none.ckpt; give its path."),
        ({"comfyui": "."}, "Expected ComfyUI in"),
    ],
)
def test_a_wrong_option_is_refused(
    more: dict[str, str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert train.main(options(tmp_path, **more)) == 2
    assert sentence in capsys.readouterr().err


def test_the_settings_of_the_node_are_the_options_defaults(tmp_path: Path) -> None:
    given = vars(parser().parse_args(options(tmp_path)[1:]))
    wanted = {"steps": 10000, "learning_rate": 1e-5, "warmup": 500, "batch_size": 4, "size": 512, "views": 16}
    assert {name: given[name] for name in wanted} == wanted
