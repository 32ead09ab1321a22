"""Handshakes of HTTPS listeners that end without a connection: a line in the log for each.

Event loops close such a connection and say nothing. Whoever scans ports could fill the log, so at
most LINES of them are written in SECONDS, and the next one says how many were not. (grpcio ends its
handshakes in its own core, which tells nobody.) The context of a listener makes its connections of
this class, `contexts.py`.
"""

from __future__ import annotations

import logging
import ssl
import time

log = logging.getLogger(__name__)
LINES, SECONDS = 10, 60.0


class Refusals:
    """Writes the lines of one process, as many as there may be."""

    def __init__(self) -> None:
        self._began = 0.0
        self._written = 0
        self._left_out = 0

    def add(self, reason: str, now: float) -> None:
        """Write a line at a time in seconds, or count it."""
        if now - self._began >= SECONDS:
            self._began, self._written = now, 0
        if self._written == LINES:
            self._left_out += 1
            return
        log.warning("tls handshake refused reason=%s left_out=%d", reason, self._left_out)
        self._written += 1
        self._left_out = 0


_refusals = Refusals()


class Handshake(ssl.SSLObject):
    """A connection that says why its handshake failed."""

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            _refusals.add(reason_of(error), time.monotonic())
            raise


def reason_of(error: ssl.SSLError) -> str:
    """Return what OpenSSL gives as the reason, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the client's certificate: {error.verify_message}"
    return (error.reason or str(error)).replace("_", " ").lower()
