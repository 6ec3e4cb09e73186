"""What the private server does differently on other versions of ComfyUI."""

from __future__ import annotations

from pathlib import Path

import pytest
from recompose.cli.comfy.client import ServerError
from recompose.lab.setup import server


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('parser.add_argument("--disable-assets", action="store_true")', ["--disable-assets"]),
        ('parser.add_argument("--enable-assets", action="store_true")', []),
        (None, []),
    ],
)
def test_assets_are_switched_off_where_comfyui_knows_the_option(tmp_path: Path, text, options) -> None:
    if text is not None:
        (tmp_path / "comfy").mkdir()
        (tmp_path / "comfy" / "cli_args.py").write_text(text)
    assert server.assets_off(tmp_path) == options


LOGS = {
    "Cannot import {base}/custom_nodes/mine module for custom nodes: no torch": True,
    "Error while calling comfy_entrypoint in {base}/custom_nodes/mine: duplicate input id": True,
    "Custom node pack 'mine' is not permitted by your organization's policy.": True,
    "Custom node pack 'other' is not permitted by your organization's policy.": False,
    "Cannot import /elsewhere/custom_nodes/mine module for custom nodes: no torch": False,
    "To see the GUI go to: http://127.0.0.1:8188": False,
}


@pytest.mark.parametrize(("words", "fails"), LOGS.items(), ids=[words[:40] for words in LOGS])
def test_a_pack_that_is_not_there_ends_the_start(tmp_path: Path, words: str, fails: bool) -> None:
    private = server.PrivateServer("python3", tmp_path, tmp_path, {"mine": tmp_path})
    private.base, private.log = tmp_path, tmp_path / "server.log"
    private.log.write_text(f"\x1b[33m[WARNING]\x1b[0m {words.format(base=tmp_path)}\n")
    if fails:
        with pytest.raises(ServerError, match="could not load a pack: .*" + words[-20:].rstrip(".")):
            private._check_packs()
    else:
        private._check_packs()
