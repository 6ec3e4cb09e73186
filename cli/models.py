"""The demo models, assembled once per version of their parts."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "demo" / "parts"


def version(parts: Path, program: Path) -> str:
    """A short name that changes when a part or the way they are put together changes."""
    digest = hashlib.sha256(program.read_bytes())
    for file in sorted(path for path in parts.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(parts)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def assembled(cache: Path, parts: Path = PARTS) -> Path:
    """The models folder with the demo checkpoints, made in `cache` where it is missing; never half-made."""
    from ..demo import assemble

    models = cache / f"demo-models-{version(parts, Path(assemble.__file__))}"
    if models.is_dir():
        return models
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=cache))
    try:
        assemble.assemble(parts, unfinished)
        if not models.is_dir():
            unfinished.rename(models)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return models
