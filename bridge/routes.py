"""The server's routes that the pack's editors call: JSON in, JSON out, an error as one sentence."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import web

COMPLETE_POSE = "/recompose/complete_pose"
# A hundred people with hands and faces take some 300,000 characters.
LONGEST = 1_000_000
# ComfyUI's server finds no file below a folder with any other character in its name.
SERVED = re.compile(r"[A-Za-z0-9!$&'()*+,;=:@~._-]+")
LOG = logging.getLogger("recompose")


def completed(text: str) -> list[dict[str, Any]]:
    """The POSE_KEYPOINT of OpenPose JSON with the legs and feet that Complete Pose estimates.

    Raises ValueError for anything that is no such pose, and where nobody can be measured.
    """
    from ..core.pose import edited
    from ..core.pose.estimate import complete
    from ..core.pose.person import everybody
    from . import pose_json, pose_record

    pose = pose_json.read(text)
    people = list(everybody(pose))
    if len(people) > edited.PEOPLE:
        raise ValueError(f"The pose must hold at most {edited.PEOPLE} people, got {len(people)}; send fewer.")
    return pose_record.write(complete.complete(pose), pose_record.Written.ALL)


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


def folder_trouble(name: str) -> str | None:
    """One sentence where ComfyUI cannot serve all of a pack in a folder of this name, else None."""
    if SERVED.fullmatch(name) and "." not in name:
        return None
    lost = "its help pages" if SERVED.fullmatch(name) else "the pose editor, the templates and the help pages"
    return (
        f"ComfyUI cannot serve {lost} from the folder {name!r}; rename it to comfyui-recompose "
        "(letters, digits, - and _ only) and restart ComfyUI."
    )


def warn_of_folder() -> None:
    """Log a warning where the pack's folder has a name that loses a part of the pack."""
    if trouble := folder_trouble(Path(__file__).parent.parent.name):
        LOG.warning(trouble)


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
