"""Where a server is, and who asks."""

from __future__ import annotations

import base64
import re
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+(%[\w.-]+)?", re.ASCII)
IN_PATHS = "/%:@!$&'()*+,;=~"


class Address(NamedTuple):
    """`url` holds no password and no trailing slash; `authorization` is the header or ""."""

    url: str
    host: str
    port: int
    secure: bool
    authorization: str

    @property
    def local(self) -> bool:
        """Whether it is this machine."""
        return self.host in ("localhost", "127.0.0.1", "::1")

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": self.authorization} if self.authorization else {}


def read(text: str) -> Address:
    """The address in a text such as 127.0.0.1:8188 or https://user:password@host/path.

    ValueError where it is none; it shows nothing that could be a password.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = _host(parts), parts.port
    except ValueError:
        parts, host, port = None, "", None
    known = parts is not None and parts.scheme in ("http", "https") and not (parts.query or parts.fragment)
    if parts is None or not known or not host or port == 0:
        shown = text.rpartition("@")[2]
        raise ValueError(f"'{shown}' is not the address of a server; give one like http://127.0.0.1:8188.")
    secure = parts.scheme == "https"
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    path = quote(parts.path.rstrip("/"), safe=IN_PATHS)
    url = f"{parts.scheme}://{place}{path}"
    return Address(url, host, port or (443 if secure else 80), secure, _authorization(parts))


def _host(parts: SplitResult) -> str:
    """The host as the network knows it, "" for a name that none can have."""
    host = parts.hostname or ""
    host = host if host.isascii() else host.encode("idna").decode()
    return host if HOST.fullmatch(host) and all(len(part) < 64 for part in host.split(".")) else ""


def _authorization(parts: SplitResult) -> str:
    if parts.username is None and parts.password is None:
        return ""
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
