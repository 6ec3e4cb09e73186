"""`cli train concept --server`: the same training as a prompt for a server."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...core.concepts import folder
from .. import ending, notes, saving
from ..comfy.client import Client
from ..run import execute

PREFIX = "concepts/"
# The options that are inputs of the node by the same name.
SETTINGS = (
    "token", "class_word", "train", "steps", "learning_rate", "batch_size", "size", "prior_pictures",
    "save_every", "seed", "accumulation", "gradient_checkpointing",
)  # fmt: skip


def train(options: argparse.Namespace) -> Path:
    """Train on the server and return the concept's file here; Misuse or Failure by a sentence."""
    try:
        files, captions = given(options)
    except ValueError as error:
        raise ending.Misuse(str(error)) from error
    client = Client(options.server)
    client.system()
    with saving.into(options.out.parent):
        prompt = prompt_of(options, captions)
        for name, paths in files.items():
            prompt |= listed(name, [uploaded(client, path) for path in paths])
            if paths:
                prompt["train"]["inputs"][name] = [name, 0]
        entry, _ = execute(client, prompt)
        content = client.fetch(saved_file(entry, prompt))
        return saving.save(options.out.parent, [(options.out.name, content)], overwrite=True)[0]


def given(options: argparse.Namespace) -> tuple[dict[str, list[Path]], dict[str, str]]:
    """The files for the node's inputs, and its captions one a line."""
    own = folder.pictures(options.pictures)
    prior = folder.pictures(options.prior) if options.prior else []
    files = {"images": own, "masks": folder.masks(options.masks, own), "prior_images": prior}
    captioned = {"captions": own, "prior_captions": prior}
    return files, {name: "\n".join(folder.captions(paths)) for name, paths in captioned.items()}


def uploaded(client: Client, path: Path) -> str:
    """The server's name for a file of ours."""
    try:
        return client.upload(path)
    except OSError as error:
        raise ending.Misuse(f"Cannot read {path}: {error.strerror}.") from error


def listed(name: str, files: list[str]) -> dict[str, dict]:
    """Nodes that load files of the server's input folder as one list, the last of them of that name."""
    mask = {"class_type": "LoadImageMask", "inputs": {"channel": "red"}}
    loader = mask if name == "masks" else {"class_type": "LoadImage", "inputs": {}}
    nodes = {
        f"{name} {number}": {**loader, "inputs": {**loader["inputs"], "image": file}}
        for number, file in enumerate(files)
    }
    links = {f"inputs.input{number}": [node, 0] for number, node in enumerate(nodes)}
    return nodes | ({name: {"class_type": "CreateList", "inputs": links}} if files else {})


def prompt_of(options: argparse.Namespace, captions: dict[str, str]) -> dict[str, dict]:
    """The prompt but for its pictures."""
    settings = {name: getattr(options, name) for name in SETTINGS} | {
        "augmentation": not options.no_augmentation
    }
    parts = {name: ["checkpoint", number] for number, name in enumerate(("model", "clip", "vae"))}
    checkpoint = {"ckpt_name": str(options.checkpoint)}
    save = {"concept": ["train", 2], "filename_prefix": f"{PREFIX}{options.out.stem}", "layout": "Recompose"}
    return {
        "checkpoint": {"class_type": "CheckpointLoaderSimple", "inputs": checkpoint},
        "train": {"class_type": "RecomposeTrainConcept", "inputs": {**parts, **settings, **captions}},
        "save": {"class_type": "RecomposeSaveConcept", "inputs": save},
    }


def saved_file(entry: dict, prompt: dict) -> dict[str, str]:
    """Where the server has put the concept; Failure where it does not say so."""
    names = notes.files(entry, prompt)
    if not names:
        raise ending.Failure("The server did not say where it has saved the concept.")
    subfolder, _, filename = names[0].rpartition("/")
    return {"filename": filename, "subfolder": subfolder, "type": "output"}
