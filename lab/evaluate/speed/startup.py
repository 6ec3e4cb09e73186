"""What the pack adds to ComfyUI's start, measured inside a real start of the server."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...places import DOCS
from ...setup.environment import Environment
from ...setup.server import PACK_NAME, ROOT
from ..sections import replace_part

# ComfyUI logs import times to a tenth of a second; the same call is timed here to the microsecond.
STARTER = """
import json, os, runpy, sys, time
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
    await load(os.path.join(base, "empty.py"), *args, **kwargs)
    before = set(sys.modules)
    sys.settrace(count if counts == "lines" else None)
    start, busy = time.perf_counter(), time.thread_time()
    done = await load(path, *args, **kwargs)
    wall, busy = time.perf_counter() - start, time.thread_time() - busy
    sys.settrace(None)
    files = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
    ours = {name: os.path.relpath(file, path) for name, file in files.items() if file.startswith(path)}
    sources = {file: os.path.getsize(os.path.join(path, file)) for file in ours.values()}
    print("PACK", json.dumps({"loaded": bool(done), "wall": wall, "busy": busy, "lines": lines,
        "sources": sources, "others": sorted(set(files) - set(ours))}), flush=True)
    return done

nodes.load_custom_node = timed
runpy.run_path(sys.argv[0], run_name="__main__")
"""
STARTS = 5
LIMIT = 300.0
REPORT = DOCS / "performance.md"
HEADING = "## Start-up"
AIMS = {"without bytecode": 0.050, "with bytecode": 0.020}  # seconds of processor time


@dataclass(frozen=True)
class Start:
    """One start of ComfyUI with the pack: what its import took and brought into the process."""

    wall: float  # seconds by the clock
    busy: float  # seconds of processor time
    lines: int  # of Python that were run, where they were counted
    sources: dict[str, int]  # the pack's files that were imported, with their bytes
    others: list[str]  # modules of others that were not there before


def startup_times(environment: Environment, starts: int = STARTS) -> dict[str, Start]:
    """The start that took the least processor time, without and with bytecode."""

    def best() -> Start:
        return min((_start(environment, base) for _ in range(starts)), key=lambda start: start.busy)

    with _installed(environment) as base:
        cold = best()
        pack = base / "custom_nodes" / PACK_NAME
        subprocess.run([str(environment.python), "-m", "compileall", "-q", str(pack)], check=True)
        return {"without bytecode": cold, "with bytecode": best()}


def startup_work(environment: Environment) -> Start:
    """One start without bytecode in which the lines that are run are counted, which takes longer."""
    with _installed(environment) as base:
        return _start(environment, base, counts=True)


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


def _start(environment: Environment, base: Path, counts: bool = False) -> Start:
    command = [str(environment.python), "-c", STARTER, str(environment.comfyui), str(base), PACK_NAME]
    command.append("lines" if counts else "seconds")
    # Whether there is bytecode is decided here, not by whoever starts the measurement.
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=base, env=variables, capture_output=True, text=True, timeout=LIMIT)
    said = [line.partition(" ")[2] for line in done.stdout.splitlines() if line.startswith("PACK ")]
    found = json.loads(said[0]) if done.returncode == 0 and said else {}
    if not found.pop("loaded", False):
        raise RuntimeError(f"ComfyUI did not start with the pack: {(done.stderr or done.stdout)[-2000:]}")
    return Start(**found)


def table(starts: dict[str, Start]) -> str:
    """This part of the report."""
    rows = [
        f"| {name} | {1000 * start.busy:.1f} | {1000 * start.wall:.1f} | {1000 * AIMS[name]:.0f} |"
        for name, start in starts.items()
    ]
    missed = [name for name, start in starts.items() if start.busy > AIMS[name]]
    sources = starts["without bytecode"].sources
    head = [
        HEADING,
        "",
        "What the pack adds to ComfyUI's start: importing it and asking every node for its schema. The best",
        f"of {STARTS} starts by processor time, each of a new process; what ComfyUI does for the first pack",
        f"of any kind is left out. {len(sources)} files of the pack, {sum(sources.values()):,} bytes, are",
        "imported then, all others when a node runs. Measured by `python3 cli bench startup`.",
        "",
        f"The aim was missed {' and '.join(missed)}." if missed else "The aims were reached.",
        "",
        "|  | processor time, ms | by the clock, ms | aim, ms of processor time |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def main(arguments: list[str], environment: Environment) -> int:
    """Measure and replace this part of the report; there are no options."""
    argparse.ArgumentParser(prog="cli bench startup", description=__doc__).parse_args(arguments)
    part = table(startup_times(environment))
    replace_part(REPORT, HEADING, part)
    print(part)
    return 0
