"""Real Chromium against real private servers: one browser for the session, one server for each frontend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from recompose.lab.setup.models import assembled
from recompose.lab.setup.server import PACK_NAME, PrivateServer, demo_packs

HERE = Path(__file__).resolve().parent
FRONTENDS = ("bundled", "newest")
PICTURES = HERE.parents[1] / "docs" / "demo"


def setting(name: str) -> str:
    value = os.environ.get(name)
    assert value, f"{name} is not set; `python3 cli test` sets it."
    return value


@dataclass
class Browser:
    """Chromium in a Node process that runs one scenario after the other."""

    process: subprocess.Popen[str]
    folder: Path

    def tell(self, line: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def ask(self, question: dict[str, Any], outside: dict[str, Callable[[], None]]) -> dict[str, Any]:
        """The answer to a question; on the way it may ask for things done outside the page."""
        answer = self.tell(question)
        while "ask" in answer:
            outside[answer["ask"]]()
            answer = self.tell({})
        return answer

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"The browser's process ended: {(self.folder / 'browser.log').read_text()[-4000:]}"
        return json.loads(line)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("browser")
    command = [setting("RECOMPOSE_NODE"), str(HERE / "browser.mjs")]
    with (folder / "browser.log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"HOME_FOLDER": str(folder)},
        )
        started = Browser(process, folder)
        try:
            assert "ready" in started.answer()
            yield started
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass
class Pages:
    """The pages of one frontend in one renderer."""

    browser: Browser
    server: PrivateServer
    modern: bool
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    def run(self, scenario: str, **arguments: Any) -> Any:
        """Run a scenario and return its result; a complaint of the page about this pack is a failure."""
        settings = {"Comfy.VueNodes.Enabled": self.modern, **self.settings}
        answer = self.browser.ask(
            {
                "scenario": scenario,
                "url": self.server.url,
                "settings": settings,
                "folder": str(self.folder),
                "arguments": arguments,
            },
            {"restart the server": self.server.restart},
        )
        assert "error" not in answer, f"{answer['error']}\n(pictures: {self.folder})"
        assert answer["complaints"] == []
        return answer["result"]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The server of a frontend with the demo's models, started when it is first asked for."""
    running: dict[str, PrivateServer] = {}
    models = assembled(tmp_path_factory.mktemp("demo-models"))
    roots = {"bundled": None, "newest": Path(os.environ.get("RECOMPOSE_OVERLAY_FRONTEND", ""))}

    def get(name: str) -> PrivateServer:
        if name not in running:
            root = roots[name] / "comfyui_frontend_package" / "static" if roots[name] else None
            folder = tmp_path_factory.mktemp(f"server-{name}")
            # A plain folder name: ComfyUI serves no templates from one with spaces.
            packs = demo_packs()
            packs["comfyui-recompose"] = packs.pop(PACK_NAME)
            comfyui = setting("COMFYUI_PATH")
            server = PrivateServer(sys.executable, comfyui, folder, packs, models, frontend=root)
            running[name] = server.__enter__()
        return running[name]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture(
    params=[(frontend, modern) for frontend in FRONTENDS for modern in (False, True)],
    ids=lambda pair: f"{pair[0]}-{'nodes2' if pair[1] else 'classic'}",
)
def pages(request: pytest.FixtureRequest, browser: Browser, servers: Any) -> Pages:
    """Every frontend in every renderer; pictures go to $RECOMPOSE_PICTURES or the test's own folder."""
    frontend, modern = request.param
    kept = os.environ.get("RECOMPOSE_PICTURES")
    folder = Path(kept, request.node.callspec.id) if kept else request.getfixturevalue("tmp_path")
    folder.mkdir(parents=True, exist_ok=True)
    return Pages(browser, servers(frontend), modern, folder)


@pytest.fixture
def graph(pages: Pages) -> dict[str, Any]:
    """What a graph with the editor is made of; names no server has seen, so that nothing is cached."""
    photo, mark = f"photo_{uuid.uuid4().hex}.png", uuid.uuid4().hex
    (pages.server.input_dir / photo).write_bytes((PICTURES / "photo.png").read_bytes())
    frame = json.loads((PICTURES / "photo_pose.json").read_text())[0]
    return {"photo": photo, "pose": json.dumps([frame | {"mark": mark}]), "width": 128, "height": 142}
