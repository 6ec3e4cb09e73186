"""`python3 cli run`: any API-format workflow on any ComfyUI server, no browser. Standard library only."""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

from . import saving, signals
from .comfy import errors, workflow
from .comfy.client import Client, Refused, ServerError
from .comfy.progress import Progress

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli run",
        description="Run a workflow exported with Workflow > Export (API) and fetch the pictures it saves.",
        epilog="NODE is an id, a title, or a class that occurs once. VALUE is JSON or text; @FILE uploads a "
        "picture (or gives a text input the file's text); @@ begins a text with an at sign. "
        'Examples: --set "Outpaint.seed=7" --set LoadImage.image=@photo.png --set 6.mode.margin=5',
    )
    options.add_argument("workflow", type=Path, metavar="WORKFLOW.json")
    options.add_argument("--set", action="append", default=[], metavar="NODE.INPUT=VALUE", dest="settings")
    options.add_argument("--server", default="127.0.0.1:8188", metavar="URL", help="default: %(default)s")
    options.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="default: %(default)s")
    options.add_argument("--previews", action="store_true", help="fetch the preview pictures as well")
    return options


def upload_files(prompt: dict, client: Client) -> None:
    """Send every file that a setting names and put the server's name for it into the prompt."""
    for identity, name, path in workflow.uploads(prompt):
        try:
            prompt[identity]["inputs"][name] = client.upload(path)
        except OSError as error:
            raise workflow.WorkflowError(f"Cannot read {path}: {error.strerror}.") from error


def files_of(entry: dict, previews: bool) -> list[dict]:
    """The saved files of a history entry (and the previews, if wanted), each once."""
    wanted = ("output", "temp") if previews else ("output",)
    found = {}
    for output in entry.get("outputs", {}).values():
        for values in output.values():
            for value in values if isinstance(values, list) else ():
                if isinstance(value, dict) and value.get("filename") and value.get("type") in wanted:
                    found[value["type"], value.get("subfolder", ""), value["filename"]] = value
    return list(found.values())


def execute(client: Client, prompt: dict) -> tuple[dict, Progress]:
    """Run the prompt with a progress bar; ServerError tells in words why it failed."""
    progress, succeeded = Progress(prompt), False
    try:
        entry = client.run(prompt, watch=progress)
        failure = errors.failure(entry, prompt)
        succeeded = not failure
    except Refused as error:
        raise ServerError(errors.refusal(error.body, prompt) if error.body else str(error)) from error
    finally:
        progress.finish(succeeded)
    if failure:
        raise ServerError(failure)
    return entry, progress


def run(options: argparse.Namespace) -> None:
    """Read, set, upload, run, fetch, save; every failure raises with a sentence."""
    prompt = workflow.read(options.workflow)
    client = Client(options.server)
    client.system()
    prompt = workflow.apply(prompt, options.settings, functools.cache(client.node))
    saving.prepare(options.out)
    upload_files(prompt, client)
    entry, _ = execute(client, prompt)
    files = [
        (saving.safe_name(file["filename"], file.get("subfolder", "")), client.fetch(file))
        for file in files_of(entry, options.previews)
    ]
    for path in saving.save(options.out, files):
        print(path)
    if not files:
        print("The workflow ran, but saved no files; --previews fetches its previews.", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    options = parser().parse_args(arguments)
    try:
        with signals.as_exit():
            run(options)
    except workflow.WorkflowError as error:
        print(f"run: {error}", file=sys.stderr)
        return MISUSED
    except (ServerError, saving.SavingError) as error:
        print(f"run: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("run: interrupted; the workflow was taken off the server.", file=sys.stderr)
        return INTERRUPTED
    return 0
