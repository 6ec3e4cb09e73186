"""How long ComfyUI takes to import the pack, measured inside a real start of the server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ...setup.environment import Environment
from ...setup.server import PACK_NAME, ROOT

# ComfyUI logs import times to a tenth of a second; the same call is timed here to the microsecond.
STARTER = """
import os, runpy, sys, time
comfyui, base, pack, counts = sys.argv[1:]
sys.path.insert(0, comfyui)
sys.argv = [os.path.join(comfyui, "main.py"), "--cpu", "--quick-test-for-ci", "--base-directory", base]
sys.argv += ["--database-url", "sqlite:///:memory:"]
import comfy.options
comfy.options.enable_args_parsing()
import nodes
load = nodes.load_custom_node

lines = 0

def count(frame, event, _):
    global lines
    lines += event == "line"
    return count

async def timed(path, *args, **kwargs):
    if os.path.basename(path) != pack:
        return await load(path, *args, **kwargs)
    # The first pack of any kind makes ComfyUI import what it reads packs with; that is not this pack's time.
    start = time.perf_counter()
    await load(os.path.join(base, "empty.py"), *args, **kwargs)
    first = time.perf_counter() - start
    sys.settrace(count if counts == "lines" else None)
    start, busy = time.perf_counter(), time.thread_time()
    done = await load(path, *args, **kwargs)
    wall, own = time.perf_counter() - start, time.thread_time() - busy
    sys.settrace(None)
    print("PACK", bool(done), wall, own, busy, first, lines, flush=True)
    return done

nodes.load_custom_node = timed
runpy.run_path(sys.argv[0], run_name="__main__")
"""
WARM_STARTS = 2
LIMIT = 300.0


class Start(NamedTuple):
    """Seconds of the pack's import by the clock and of the processor, of the processor before it, and of an
    empty pack loaded first by the clock; how many lines of Python the import ran, where they were counted."""

    wall: float
    busy: float
    before: float
    first: float
    lines: int


def startup_seconds(environment: Environment) -> dict[str, float]:
    """Seconds the pack adds to ComfyUI's import times, without and with its bytecode (the best of two).

    The last entry is what ComfyUI itself spends on the first pack it loads, measured with an empty one.
    """
    with _installed(environment) as base:
        cold = _start(environment, base)
        _compile(environment, base)
        warm = min(_start(environment, base) for _ in range(WARM_STARTS))
    return {
        "cold": cold.wall,
        "warm": warm.wall,
        "warm, processor time": warm.busy,
        "an empty pack, loaded first": warm.first,
    }


def startup_work(environment: Environment) -> tuple[float, int]:
    """What a warm import of the pack costs on any machine: its share of the processor time of ComfyUI's start
    up to it, and how many lines of Python it runs."""
    with _installed(environment) as base:
        _compile(environment, base)
        timed, counted = _start(environment, base), _start(environment, base, counts=True)
    return timed.busy / timed.before, counted.lines


@contextmanager
def _installed(environment: Environment) -> Iterator[Path]:
    """A base folder for ComfyUI with a copy of the pack and an empty pack, and no bytecode."""
    with tempfile.TemporaryDirectory(dir=environment.cache, prefix="bench-") as folder:
        base = Path(folder)
        pack = base / "custom_nodes" / PACK_NAME
        pack.mkdir(parents=True)
        (base / "empty.py").write_text("NODE_CLASS_MAPPINGS = {}\n")
        for name in ("__init__.py", "nodes", "bridge", "core", "js", "locales"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, pack / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.is_file():
                shutil.copy(source, pack / name)
        yield base


def _compile(environment: Environment, base: Path) -> None:
    pack = base / "custom_nodes" / PACK_NAME
    subprocess.run([str(environment.python), "-m", "compileall", "-q", str(pack)], check=True)


def _start(environment: Environment, base: Path, counts: bool = False) -> Start:
    command = [str(environment.python), "-c", STARTER, str(environment.comfyui), str(base), PACK_NAME]
    command.append("lines" if counts else "seconds")
    # Whether there is bytecode is decided here, not by whoever starts the measurement.
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=base, env=variables, capture_output=True, text=True, timeout=LIMIT)
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("PACK ")]
    if done.returncode or not lines or lines[0][1] != "True":
        raise RuntimeError(f"ComfyUI did not start with the pack: {(done.stderr or done.stdout)[-2000:]}")
    return Start(*map(float, lines[0][2:6]), int(lines[0][6]))
