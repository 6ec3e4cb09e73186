"""What the pages and templates of concepts show: things of one's own, taught to the toy model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ....cli import demo, notes
from ....cli.comfy import workflow
from ....cli.comfy.client import Client
from ...toy import concept_templates, own_things, world
from ...toy.own_things import OwnThing
from .sheet import sheet
from .shown import shown

THINGS = {"<new1>": own_things.BALL, "<new2>": own_things.BOX}
STEPS, LEARNING_RATE, BATCH, PRIOR, SAVINGS = 400, 5e-4, 4, 0, 2
CAPTIONS = 200
STRENGTHS = (0.0, 0.5, 1.0)
COLOURS = {"<new1>": "red", "<new2>": "green"}  # which the captions have in the places of the new words


class Taught(NamedTuple):
    """A thing's four pictures, the contact sheet of its training, a picture with it, and its file."""

    own: list[Image.Image]
    sheet: Image.Image
    picture: Image.Image
    file: str


class Made(NamedTuple):
    """Both things by their words, the first at each strength in another place, and both in one picture."""

    taught: dict[str, Taught]
    strengths: dict[float, Image.Image]
    both: Image.Image


def words(tokens: tuple[str, ...], scene: str) -> str:
    """A caption of the world with new words in place of colours."""
    objects = tuple((THINGS[token].kind, COLOURS[token]) for token in tokens)
    found = world.caption({"subject": "things", "objects": objects, "scene": scene})
    for token in tokens:
        found = found.replace(COLOURS[token], token)
    return found


def taught(client: Client, token: str, thing: OwnThing) -> Taught:
    """Teach a thing by the template train_concept."""
    own = [Image.fromarray(own_things.picture(thing, seed)) for seed in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, picture in enumerate(own):
            path = Path(folder, f"help {thing.kind} {number}.png")
            picture.save(path)
            names.append(client.upload(path))
    prompt = concept_templates.training(
        names, token, thing.kind, words((token,), "beach"), STEPS, LEARNING_RATE, PRIOR
    )
    demo.put(prompt, "Train Concept.batch_size", BATCH)
    demo.put(prompt, "Train Concept.augmentation", False)
    demo.put(prompt, "Train Concept.save_every", STEPS // SAVINGS)
    found = shown(client, prompt, {"sheet": [workflow.find(prompt, "Train Concept"), 3]})
    file, *_ = notes.files({"outputs": found.outputs}, prompt)
    return Taught(own, found.pictures["sheet"][0], found.pictures["saved"][0], file.removeprefix("concepts/"))


def made(client: Client) -> Made:
    """Teach both things and paint with them by the templates."""
    found = {token: taught(client, token, thing) for token, thing in THINGS.items()}
    first, strengths = found["<new1>"], {}
    for strength in STRENGTHS:
        prompt = concept_templates.use(first.file, words(("<new1>",), "snow"))
        demo.put(prompt, "Load Concept.strength", strength)
        strengths[strength] = shown(client, prompt, {}).pictures["saved"][0]
    classes = ", ".join(thing.kind for thing in THINGS.values())
    files = [each.file for each in found.values()]
    both = concept_templates.two(files, classes, words(tuple(THINGS), "meadow"), captions())
    return Made(found, strengths, shown(client, both, {}).pictures["saved"][0])


def captions() -> list[str]:
    """What the merged model is to paint as before."""
    return [world.closer(seed, "train").caption for seed in range(CAPTIONS)]


def pages(found: Made) -> dict[str, Image.Image]:
    """The pages of the four nodes."""
    first, second = found.taught.values()
    own = [(f"{number + 1}", picture) for number, picture in enumerate(first.own)]
    each = [("<new1>", first.own[0]), ("<new2>", second.own[0])]
    return {
        "RecomposeTrainConcept": sheet(*own, ("before, and at each saving", first.sheet)),
        "RecomposeSaveConcept": sheet(own[0], ("<new1> ball on a beach", first.picture)),
        "RecomposeLoadConcept": sheet(
            own[0], *((f"strength {strength:g}", picture) for strength, picture in found.strengths.items())
        ),
        "RecomposeMergeConcepts": sheet(*each, ("both in one prompt", found.both)),
    }


def strips(found: Made) -> dict[str, list[Image.Image]]:
    """What the templates' pictures show from left to right, by their names."""
    first, second = found.taught.values()
    return {
        concept_templates.TRAINING: [squared(first.own), first.picture],
        concept_templates.USE: [first.own[0], found.strengths[STRENGTHS[-1]]],
        concept_templates.TWO: [first.own[0], second.own[0], found.both],
    }


def squared(four: list[Image.Image]) -> Image.Image:
    """Four pictures, two in a row, all of the size of the first."""
    width, height = four[0].size
    page = Image.new("RGB", (2 * width, 2 * height))
    for number, picture in enumerate(four):
        row, column = divmod(number, 2)
        page.paste(picture.resize((width, height)), (column * width, row * height))
    return page
