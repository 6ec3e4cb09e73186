"""Notices: sentences about a result that is allowed but probably not what was wanted.

They are in the log and in the node's report. The page shows them on the node; programs read the history.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

LOG = logging.getLogger("recompose")


class Notices(list[str]):
    """The notices of one execution of a node."""

    def ui(self, report: dict[str, Any] | None = None) -> dict[str, list[dict[str, Any]]]:
        """What the node leaves for the page and for programs: its report and notices, if any.

        ComfyUI joins the items of a node that runs over lists key by key, so the key is always there.
        """
        left = dict(report or {})
        if self:
            left["notices"] = [*left.get("notices", []), *self]
        return {"recompose": [left] if left else []}


_CURRENT: ContextVar[Notices | None] = ContextVar("recompose_notices", default=None)


@contextmanager
def collect() -> Iterator[Notices]:
    """Collect the notices of one execution, for its report.

    The page shows them on the node until its next result (js/.modules/canvas/notices.js): ComfyUI's own
    text below a node goes away with the end of the run, or stays for good, depending on the frontend.
    """
    found = Notices()
    token = _CURRENT.set(found)
    try:
        yield found
    finally:
        _CURRENT.reset(token)


def notice(text: str) -> None:
    """Add one sentence to the running node's notices, once, and to the log.

    Where nobody collects (a sampler in another pack's node), the sentence appears below that node at once.
    """
    found = _CURRENT.get()
    if found is not None and text in found:
        return
    LOG.warning(text)
    if found is None:
        _show_below_node(text)
    else:
        found.append(text)


def show_status(text: str) -> None:
    """Show a text in the log and, until the next one, below the running node."""
    LOG.info(text)
    _show_below_node(text)


def _show_below_node(text: str) -> None:
    # A process that runs no nodes never imported ComfyUI's execution, and may be unable to.
    if "comfy_execution.progress" not in sys.modules:
        return
    from comfy_execution.progress import WebUIProgressHandler, get_progress_state
    from comfy_execution.utils import get_executing_context

    where, page = get_executing_context(), get_progress_state().handlers.get("webui")
    if where is not None and isinstance(page, WebUIProgressHandler) and page.server_instance is not None:
        page.server_instance.send_progress_text(text, where.node_id)
