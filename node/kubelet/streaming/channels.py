"""The remote-command protocols over WebSocket: frames, channels and the closing status. Pure.

Binary protocols carry one channel byte and the payload; base64 ones an ASCII digit and the payload
in base64, as text. Called by streaming/remote_command.py. Source: apimachinery remotecommand
constants, apiserver wsstream.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


@dataclass(frozen=True, slots=True)
class ChannelProtocol:
    """One sub-protocol: version 4 and up end with a Status, 5 can close standard input."""

    name: str
    version: int
    base64: bool = False

    def encode(self, channel: int, data: bytes) -> bytes | str:
        """Return a frame: bytes for a binary message, str for a text one."""
        if self.base64:
            return f"{channel}{base64.b64encode(data).decode()}"
        return bytes((channel,)) + data

    def decode(self, message: bytes | str) -> tuple[int, bytes] | None:
        """Return (channel, payload), None for a message that is empty or makes no sense.

        The protocol decides what it means, not the message's type: the official Python client
        sends binary channels as text.
        """
        content = message.encode() if isinstance(message, str) else message
        if not content:
            return None
        if not self.base64:
            return content[0], content[1:]
        try:
            return int(content[:1]), base64.b64decode(content[1:], validate=True)
        except (ValueError, binascii.Error):
            return None

    def final(self, status: Object) -> bytes:
        """Return what is sent on the error channel at the end; b"" for nothing."""
        if self.version >= 4:
            return orjson.dumps(status)
        return b"" if status["status"] == "Success" else str(status["message"]).encode()


PROTOCOLS: Sequence[ChannelProtocol] = (
    ChannelProtocol("v5.channel.k8s.io", 5),
    ChannelProtocol("v4.channel.k8s.io", 4),
    ChannelProtocol("v3.channel.k8s.io", 3),
    ChannelProtocol("v2.channel.k8s.io", 2),
    ChannelProtocol("channel.k8s.io", 1),
    ChannelProtocol("v4.base64.channel.k8s.io", 4, base64=True),
    ChannelProtocol("base64.channel.k8s.io", 1, base64=True),
)


def choose_protocol(offered: Sequence[str]) -> ChannelProtocol | None:
    """Return the first offered protocol that is known."""
    known = {protocol.name: protocol for protocol in PROTOCOLS}
    return next((known[name] for name in offered if name in known), None)


def parse_resize(payload: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a resize message; sizes below 1 and nonsense are None."""
    try:
        size = orjson.loads(payload)
        width, height = int(size["Width"]), int(size["Height"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def exit_status(code: int) -> Object:
    """Return the Status for a command that ended with `code`."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def error_status(error: str) -> Object:
    """Return the Status for a command that could not be run."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: error executing command in container: {error}",
        "reason": "InternalError",
        "details": {"causes": [{"message": f"error executing command in container: {error}"}]},
        "code": 500,
    }
