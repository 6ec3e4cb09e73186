"""The few parts of RFC 6455 that listening to ComfyUI's progress needs."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import struct
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class WebSocket:
    """A listening client: text messages in, pings answered, everything else dropped."""

    def __init__(self, url: str, timeout: float) -> None:
        address = urlsplit(url)
        secure = address.scheme in ("https", "wss")
        host, port = address.hostname or "", address.port or (443 if secure else 80)
        self._socket = socket.create_connection((host, port), timeout)
        if secure:
            self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
        self._buffer = b""
        self._message = b""
        self._opcode = 0
        try:
            self._shake_hands(address.netloc.rpartition("@")[2], f"{address.path or '/'}?{address.query}")
        except BaseException:
            self._socket.close()
            raise

    def _shake_hands(self, host: str, path: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(request.encode("ascii"))
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
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
        if len(self._buffer) < start + length:
            return None
        payload, self._buffer = self._buffer[start : start + length], self._buffer[start + length :]
        return bool(first & 0x80), first & 0x0F, payload

    def _send(self, opcode: int, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)

    def receive(self, timeout: float) -> str | None:
        """The next text message, or None when none came within `timeout` seconds.

        Raises OSError when the connection is lost.
        """
        self._socket.settimeout(timeout)
        while True:
            frame = self._frame()
            if frame is None:
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
                    message, self._message = self._message, b""
                    if self._opcode == TEXT:
                        return message.decode("utf-8", "replace")

    def close(self) -> None:
        """Say goodbye and drop the connection."""
        try:
            self._send(CLOSE, struct.pack("!H", 1000))
        except OSError:
            pass  # The other side is gone already.
        finally:
            self._socket.close()
