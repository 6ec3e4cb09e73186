"""The server's routes that the pack's editors call: JSON in, JSON out, an error as one sentence."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import numpy as np

from ..core.pose import complete, edited, openpose, people, skeleton
from ..core.pose.people import Pose

if TYPE_CHECKING:
    from aiohttp import web

COMPLETE_POSE = "/recompose/complete_pose"
# A hundred people with hands and faces take some 300,000 characters.
LONGEST = 1_000_000


def completed(text: str) -> Pose:
    """The people of OpenPose JSON with the legs and feet that Complete Pose estimates.

    Raises ValueError for anything that is no such pose, and where nobody can be measured.
    """
    pose = openpose.read(text)
    persons = list(people.everybody(pose))
    if len(persons) > edited.PEOPLE:
        raise ValueError(
            f"The pose must hold at most {edited.PEOPLE} people, got {len(persons)}; send fewer."
        )
    for person in persons:
        for key in skeleton.KEYS:
            if np.abs(people.triples(person, key)).max(initial=0) > edited.FARTHEST:
                raise ValueError(f"{key} holds a point over {edited.FARTHEST} px away; check the pose.")
    return complete.complete(pose)


async def _text(request: web.Request) -> str:
    """The request's body; ValueError where it is too long or no text."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > LONGEST:
            raise ValueError(
                f"The pose must be at most {LONGEST} characters long; send fewer people at once."
            )
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ValueError("The pose must be UTF-8 text; send OpenPose JSON.") from error


async def complete_pose(request: web.Request) -> web.Response:
    """OpenPose JSON to {"pose": POSE_KEYPOINT}, or status 400 and {"error": a sentence}."""
    from aiohttp import web

    try:
        pose = await asyncio.to_thread(completed, await _text(request))
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.json_response({"pose": pose})


def register() -> None:
    """Offer the routes to this process's server, once; without a server nothing happens."""
    # A process without a server never imported its module, and may be unable to.
    if "server" not in sys.modules:
        return
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is None or any(getattr(route, "path", None) == COMPLETE_POSE for route in server.routes):
        return
    server.routes.post(COMPLETE_POSE)(complete_pose)
