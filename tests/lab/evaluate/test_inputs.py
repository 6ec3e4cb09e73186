"""What the command refuses, in one sentence and with exit status 2, and what it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli.ending import Misuse
from recompose.lab.evaluate.folders import inputs
from recompose.tests.lab.evaluate.conftest import Call, noise, save


def folders(root: Path) -> None:
    """Two pictures, their masks, captions and poses."""
    for name in "ab":
        save(noise(0), root / f"real/{name}.png")
        save(noise(1), root / f"made/{name}.jpg")
        save(np.zeros((64, 80), np.uint8), root / f"masks/{name}.png")
        pose = root / f"poses/{name}.json"
        pose.parent.mkdir(exist_ok=True)
        pose.write_text(json.dumps({"people": [], "canvas_width": 80, "canvas_height": 64}))
    (root / "captions.json").write_text('{"a": "a ball", "b.png": "a dog"}')


def removing(*names: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for name in names:
            (root / name).unlink()

    return change


def writing(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda root: (root / name).write_bytes(content) and None


def picture(name: str, values: np.ndarray) -> Callable[[Path], None]:
    return lambda root: save(values, root / name)


def cut(root: Path) -> None:
    """A file whose second half is missing."""
    whole = (root / "made/b.jpg").read_bytes()
    (root / "made/b.jpg").write_bytes(whole[: len(whole) // 2])


def floating(root: Path) -> None:
    """A picture whose white is unknown."""
    removing("real/a.png")(root)
    Image.fromarray(np.zeros((64, 80), np.float32)).save(root / "real/a.tif")


def emptied(root: Path) -> None:
    removing("made/a.jpg", "made/b.jpg")(root)


def kept(root: Path) -> None:
    (root / "out/evaluate").mkdir(parents=True)
    (root / "out/evaluate/kept.sqlite").write_bytes(b"no database" * 200)


def nothing(root: Path) -> None:
    """Leave all as it is."""


BAD = {
    "only real": (
        removing("made/b.jpg"),
        "--metrics changed",
        "only in --real, not in --made: b; add or take out what is listed, or compare whole sets",
    ),
    "only made": (removing("real/a.png"), "", "only in --made, not in --real: a;"),
    "no mask": (removing("masks/a.png"), "--masks masks", "only in --made, not in --masks: a;"),
    "mask too many": (
        picture("masks/c.png", noise(0)),
        "--masks masks",
        "only in --masks, not in --made: c;",
    ),
    "no caption": (
        writing("captions.json", b'{"a": "x"}'),
        "--captions captions.json",
        "not in --captions: b;",
    ),
    "no pose": (removing("poses/b.json"), "--poses poses", "only in --made, not in --poses: b;"),
    "no folder": (nothing, "--masks nowhere", "Expected a folder after --masks, got nowhere;"),
    "empty folder": (emptied, "", "Expected files ending in .png, .jpg"),
    "twice": (picture("made/a.png", noise(0)), "", "got a.jpg and a.png; take one out"),
    "no such metric": (nothing, "--metrics ssim beauty", "got beauty."),
    "seam without masks": (nothing, "--metrics seam", "Expected --masks for seam, got none;"),
    "clip without captions": (nothing, "--metrics clip psnr", "Expected --captions for clip, got none;"),
    "pck without poses": (nothing, "--metrics pck", "Expected --poses for pck, got none;"),
    "sizes": (
        picture("made/b.jpg", noise(1, 32, 80)),
        "--metrics ssim",
        "got b (80×64 real, 80×32 made); put the real pictures on the made ones' canvas",
    ),
    "mask's size": (
        picture("masks/b.png", noise(1, 8, 9)[..., 0]),
        "--masks masks",
        "got b (mask 9×8, picture 80×64);",
    ),
    "no picture": (writing("made/b.jpg", b"hello"), "", "Expected a whole picture in made/b.jpg, got:"),
    "half a picture": (cut, "--metrics changed", "Expected a whole picture in made/b.jpg, got:"),
    "floats": (
        floating,
        "",
        "Expected a whole picture in real/a.tif, got: floating-point values",
    ),
    "captions of no kind": (
        writing("captions.json", b"[1, 2]"),
        "--captions captions.json",
        "Expected captions",
    ),
    "a caption that is none": (
        writing("captions.json", b'{"a": 3, "b": "x"}'),
        "--captions captions.json",
        "Expected captions",
    ),
    "no captions": (nothing, "--captions none.txt", "Cannot read the captions in none.txt:"),
    "a pose of no kind": (
        writing("poses/b.json", b"{"),
        "--poses poses --metrics oks",
        "poses/b.json: The pose is not JSON",
    ),
    "sets of pairs": (nothing, "--unpaired --metrics ssim fid", "Expected fid and kid alone with --unpaired"),
    "Inception missing": (
        nothing,
        "--metrics fid --features Inception",
        "Expected pt_inception-2015-12-05-6726825d.pth in weights for FID and KID, got none; download it "
        "from https://github.com/mseitzer/pytorch-fid/releases/",
    ),
    "AlexNet missing": (
        nothing,
        "--metrics lpips",
        "Expected alexnet-owt-7be5be79.pth in weights for LPIPS, got",
    ),
    "CLIP missing": (
        nothing,
        "--metrics clip --captions captions.json",
        "Expected the folder clip-vit-large-patch14 or",
    ),
    "no CLIP there": (
        nothing,
        "--metrics clip --captions captions.json --clip poses",
        "got no config.json, no preprocessor_config.json;",
    ),
    "other weights": (
        lambda root: writing("weights/alexnet-owt-7be5be79.pth", b"x")(root),
        "--metrics lpips",
        "with SHA-256 7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02, got 2d711642",
    ),
    "no such device": (nothing, "--device abacus", "Expected a device that torch has, got abacus"),
    "kept values damaged": (
        kept,
        "--metrics changed",
        "Expected the values kept by earlier runs in out/evaluate",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused_in_a_sentence(name: str, tmp_path: Path, call: Call) -> None:
    change, options, sentence = BAD[name]
    folders(tmp_path)
    (tmp_path / "weights").mkdir()
    change(tmp_path)
    said = call(*options.split())
    assert said.status == (1 if name == "kept values damaged" else 2), said.errors
    assert sentence in said.errors
    assert said.errors.splitlines()[-1].startswith("evaluate: ")
    assert not said.table


def test_many_unmatched_names_are_counted(tmp_path: Path, call: Call) -> None:
    save(noise(0, 8, 8), tmp_path / "made/a.png")
    save(noise(0, 8, 8), tmp_path / "real/a.png")
    for number in range(30):
        save(noise(0, 8, 8), tmp_path / f"real/p{number:02}.png")
    said = call()
    assert said.status == 2
    assert "p00, p01, " in said.errors
    assert "p19 and 10 more" in said.errors


def test_without_names_all_that_is_possible_is_measured_and_the_rest_is_told(
    tmp_path: Path, call: Call
) -> None:
    folders(tmp_path)
    said = call()
    assert said.status == 0, said.errors
    assert said.json["settings"]["metrics"] == ["changed", "psnr", "ssim", "fid", "kid"]
    notes = "\n".join(said.json["notes"])
    assert "Expected --masks for seam, local-fid, local-kid, got none." in notes
    assert "Expected --captions for clip, got none." in notes
    assert "Expected --poses for pck, oks, got none." in notes
    assert "Expected alexnet-owt-7be5be79.pth in weights for LPIPS, got none; download it from" in notes
    assert "which is no FID that others could be compared with" in notes
    names = [figure["name"] for figure in said.json["figures"]]
    assert "Fréchet distance of the evaluator's features" in names
    assert not [name for name in names if "FID" in name or "KID" in name]
    assert notes in said.table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a.png": "one", "b": " two "}', {"a": "one", "b": "two"}),
        (
            '{"file_name": "a.jpg", "text": "one"}\n\n{"image": "b.c", "prompt": "two"}\n',
            {"a": "one", "b.c": "two"},
        ),
        ('{"file": "folder/a.png", "caption": "one"}', {"a": "one"}),
        ("a.png\tone, two\nb\tthree\n", {"a": "one, two", "b": "three"}),
        ("\ufeffa\teins\r\n", {"a": "eins"}),
    ],
)
def test_captions_are_read_in_three_forms(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    path = tmp_path / "captions"
    path.write_text(text, encoding="utf-8")
    assert inputs.read_captions(path) == expected


@pytest.mark.parametrize(
    "text", ["a\n", '{"a": ["x"]}', '{"file_name": "a.png"}\n{"file_name": "b.png"}', "{"]
)
def test_lines_without_a_caption_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "captions"
    path.write_text(text)
    with pytest.raises(Misuse, match="Expected captions in"):
        inputs.read_captions(path)
