"""The few parts of RFC 6455 that listening to ComfyUI's progress needs."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import struct
import time
from urllib.parse import urlsplit

from .address import Address

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
LONGEST_HEAD, LONGEST_CONTROL, LONGEST_MESSAGE = 1 << 16, 125, 1 << 26  # bytes; previews have some million


class WebSocket:
    """A listening client: text messages in, pings answered, everything else dropped."""

    def __init__(self, address: Address, query: str, timeout: float) -> None:
        self._buffer = bytearray()
        self._message = bytearray()
        self._opcode = 0
        deadline = time.monotonic() + timeout
        self._socket = socket.create_connection((address.host, address.port), timeout)
        try:
            if address.secure:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=address.host)
            self._shake_hands(address, query, deadline)
        except BaseException:
            self._socket.close()
            raise

    def _shake_hands(self, address: Address, query: str, deadline: float) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        parts = urlsplit(address.url)
        lines = [f"GET {parts.path}/ws?{query} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket"]
        lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"{name}: {value}" for name, value in address.headers.items()]
        self._socket.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii"))
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > LONGEST_HEAD or time.monotonic() > deadline:
                raise ConnectionError("The server does not end its WebSocket head.")
            self._fill()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        if b" 101" not in head.split(b"\r\n", 1)[0]:
            raise ConnectionError("The server does not speak WebSocket here.")

    def _fill(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("The server closed the connection.")
        self._buffer += data

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """(is it the last of its message, opcode, payload), or None while the frame is incomplete."""
        if len(self._buffer) < 2:
            return None
        first, second = self._buffer[0], self._buffer[1]
        length, start = second & 0x7F, 2
        if length >= 126:
            form, start = ("!H", 4) if length == 126 else ("!Q", 10)
            if len(self._buffer) < start:
                return None
            (length,) = struct.unpack(form, self._buffer[2:start])
        longest = LONGEST_CONTROL if first & 0x08 else LONGEST_MESSAGE - len(self._message)
        if second & 0x80 or first & 0x70 or length > longest:
            raise ConnectionError("The server sends frames that are no WebSocket's.")
        if len(self._buffer) < start + length:
            return None
        payload = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return bool(first & 0x80), first & 0x0F, payload

    def _send(self, opcode: int, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)

    def receive(self, timeout: float) -> str | None:
        """The next text message, or None when none came within `timeout` seconds.

        Raises OSError when the connection is lost or the server sends what is no WebSocket's.
        """
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            frame = self._frame()
            if frame is None:
                self._socket.settimeout(left)
                try:
                    self._fill()
                except TimeoutError:
                    return None
                continue
            final, opcode, payload = frame
            if opcode == PING:
                self._send(PONG, payload)
            elif opcode == CLOSE:
                raise ConnectionError("The server closed the connection.")
            elif opcode != PONG:
                self._opcode = opcode or self._opcode
                self._message += payload
                if final:
                    message, self._message = self._message, bytearray()
                    if self._opcode == TEXT:
                        return message.decode("utf-8", "replace")
        return None

    def close(self) -> None:
        """Say goodbye and drop the connection."""
        try:
            self._send(CLOSE, struct.pack("!H", 1000))
        except OSError:
            pass  # The other side is gone already.
        finally:
            self._socket.close()
