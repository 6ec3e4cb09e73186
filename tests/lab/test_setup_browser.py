"""Chromium comes out of its package with libraries and a font, and nothing outside its folder is written."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from recompose.lab.setup.browser import unpack_browser

PACK = """
const zlib = require("node:zlib");
const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk));
process.stdin.on("end", () => process.stdout.write(zlib.brotliCompressSync(Buffer.concat(chunks))));
"""


def node() -> Path:
    value = os.environ.get("RECOMPOSE_NODE")
    assert value, "RECOMPOSE_NODE is not set; `python3 cli test` sets it."
    return Path(value)


def packed(content: bytes) -> bytes:
    return subprocess.run([node(), "-e", PACK], input=content, capture_output=True, check=True).stdout


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    return file.getvalue()


def test_the_browser_is_unpacked_and_its_archives_go(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "bin").mkdir(parents=True)
    contents = {
        "chromium.br": b"program",
        "al2023.tar.br": archive("lib/libnss3.so", "lib/../../evil", "elsewhere/x"),
        "fonts.tar.br": archive("fonts.conf", "fonts/Open/regular.ttf"),
        "swiftshader.tar.br": archive("libEGL.so"),
    }
    for name, content in contents.items():
        (package / "bin" / name).write_bytes(packed(content))
    unpack_browser(node(), package, tmp_path / "chromium", tmp_path / "log")
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "log",
        "chromium/chromium",
        "chromium/fonts.conf",
        "chromium/lib/libnss3.so",
        "chromium/fonts/Open/regular.ttf",
    }
    assert os.access(tmp_path / "chromium" / "chromium", os.X_OK)
    assert f"<dir>{tmp_path}/chromium/fonts</dir>" in (tmp_path / "chromium" / "fonts.conf").read_text()
