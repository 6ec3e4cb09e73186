"""`python3 cli run`: any API-format workflow on any ComfyUI server, no browser. Standard library only."""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

from . import ending, notes, saving
from .comfy import errors, workflow
from .comfy.answers import items, record, text
from .comfy.client import Client, Refused, ServerError, Unreachable
from .comfy.progress import Progress
from .words import line, plain


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="cli run",
        description="Run a workflow exported with Workflow > Export (API) and fetch the pictures it saves. "
        "What the nodes report, such as notices and the seam ratio, is printed.",
        epilog="NODE is an id, a title, or a class that occurs once. VALUE is JSON or text; @FILE uploads a "
        "picture (or gives a text input the file's text); @@ begins a text with an at sign. A choice with "
        "inputs of its own, such as a mode, brings these with their defaults. "
        'Examples: --set "Outpaint.seed=7" --set LoadImage.image=@photo.png --set 6.mode.margin=5. '
        "The exit status is 0 when all is done, 1 when the server or the disk fails or a node was not run, "
        "2 for a wrong file or option, and 130 after Ctrl-C.",
    )
    options.add_argument("workflow", type=Path, metavar="WORKFLOW.json")
    options.add_argument("--set", action="append", default=[], metavar="NODE.INPUT=VALUE", dest="settings")
    options.add_argument(
        "--server",
        default="127.0.0.1:8188",
        metavar="URL",
        help="default: %(default)s; user:password@host where one is asked for",
    )
    options.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="default: %(default)s")
    options.add_argument("--previews", action="store_true", help="fetch the preview pictures as well")
    options.add_argument("--report", type=Path, metavar="FILE", help="write what the nodes report as JSON")
    options.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="give up when the server shows no sign of work for so long; 0 waits for ever (default: 1800)",
    )
    return options


def seconds(words: str) -> float:
    """A number of seconds; ValueError for what is none, as argparse wants it."""
    value = float(words)
    if not 0 <= value < 1e9:
        raise ValueError(words)
    return value


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
    for output in record(entry.get("outputs")).values():
        for value in (each for values in record(output).values() for each in items(values)):
            file = {key: text(record(value).get(key)) for key in ("filename", "subfolder", "type")}
            if file["filename"] and file["type"] in wanted:
                found[tuple(file.values())] = file
    return list(found.values())


def attempt(client: Client, prompt: dict, layout: dict | None = None) -> tuple[dict, Progress, str | None]:
    """Run the prompt with a progress bar: its history entry, and why it failed, None when it did not."""
    progress, succeeded = Progress(prompt), False
    try:
        entry = client.run(prompt, watch=progress, layout=layout)
        failure = errors.failure(entry, prompt)
        succeeded = not failure
    except Refused as error:
        said = error.body.get("node_errors") or record(error.body.get("error"))
        raise ServerError(errors.refusal(error.body, prompt) if said else str(error)) from error
    finally:
        progress.finish(succeeded)
    return entry, progress, failure


def execute(client: Client, prompt: dict, layout: dict | None = None) -> tuple[dict, Progress]:
    """Run the prompt with a progress bar; ServerError tells in words why it failed."""
    entry, progress, failure = attempt(client, prompt, layout)
    if failure:
        raise ServerError(failure)
    return entry, progress


def places(client: Client, files: list[dict]) -> str:
    """Where files are that could not be had."""
    folders = sorted({file["type"] for file in files})
    names = ", ".join("/".join(filter(None, (file["subfolder"], file["filename"]))) for file in files)
    number = "1 file is" if len(files) == 1 else f"{len(files)} files are"
    return f"{number} only on the server at {client.url}, in its folder {' or '.join(folders)}: {line(names)}"


def fetch(client: Client, files: list[dict], folder: Path) -> tuple[list[Path], str | None]:
    """Save every file that can be had and print where; also a sentence on those that cannot, None without."""
    saved: list[Path] = []
    left: list[dict] = []
    why: Exception | None = None
    for number, file in enumerate(files):
        try:
            if isinstance(why, Unreachable):
                raise why
            content = client.fetch(file)
            saved += saving.save(folder, [(saving.safe_name(file["filename"], file["subfolder"]), content)])
            print(saved[-1], flush=True)
        except (ServerError, saving.SavingError) as error:
            why = why or error
            left.append(file)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(places(client, [*left, *files[number:]])) from None
    return saved, f"{str(why).rstrip('.')}; {places(client, left)}." if left else None


def run(options: argparse.Namespace) -> int:
    """Read, set, upload, run, fetch, save; every failure raises with a sentence."""
    prompt = workflow.read(options.workflow)
    client = Client(options.server, options.timeout)
    client.system()
    definition = functools.cache(client.node)
    prompt = workflow.apply(prompt, options.settings, definition)
    workflow.check_with_server(prompt, definition)
    report: Path | None = options.report
    if report and report.is_dir():
        raise workflow.WorkflowError(f"{report} is a folder; give --report a file.")
    with saving.into(options.out, *([report.parent] if report else [])):
        upload_files(prompt, client)
        entry, _, failure = attempt(client, prompt)
        return deliver(client, prompt, entry, failure, options)


def deliver(
    client: Client, prompt: dict, entry: dict, failure: str | None, options: argparse.Namespace
) -> int:
    """Save and print what a run left; ServerError at the end where it failed or something is missing."""
    found = notes.reports(entry, prompt)
    for words in notes.lines(found):
        print(plain(words), file=sys.stderr)
    complete = failure is None or errors.went_on(entry)
    files = files_of(entry, options.previews) if complete else []
    saved, missing = fetch(client, files, options.out)
    if options.report:
        document = notes.document(found, failure=failure or missing, files=[str(path) for path in saved])
        saving.save(options.report.parent, [(options.report.name, document)], overwrite=True)
    if failure or missing:
        sentences = [f"{each.rstrip('.')}." for each in (failure, missing) if each]
        raise ServerError(" ".join(sentences))
    if not files:
        print("The workflow ran, but saved no files; --previews fetches its previews.", file=sys.stderr)
    return 0


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    options = parser().parse_args(arguments)
    return ending.status_of("run", lambda: run(options))
