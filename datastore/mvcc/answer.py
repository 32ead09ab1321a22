"""Where the outcome of a request goes.

Two kinds: an asyncio future, which is completed on its loop, and any other `Answer`, which is
completed in the thread that has the outcome (the native front's calls are such: they send their
bytes from there, without a turn of the event loop).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Protocol

log = logging.getLogger(__name__)


class Answer(Protocol):
    """Takes one outcome; `done` says that nobody waits for it any more."""

    def done(self) -> bool:
        """Say whether the caller has gone away, or has its outcome."""

    def set_result(self, result: Any) -> None:
        """Take the result."""

    def set_exception(self, error: Exception) -> None:
        """Take the error instead."""


Done = tuple[Answer, Any]  # an answer and its outcome, a result or an exception


def complete(answer: Answer, outcome: Any) -> None:
    """Hand over an outcome, unless nobody waits for it any more.

    One that cannot be handed over (it does not fit into a frame, say) is its caller's trouble
    alone: behind it wait others, and the thread that serves them all goes on.
    """
    if answer.done():
        return
    try:
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
    except Exception as error:
        log.exception("an answer could not be handed over")
        with suppress(Exception):
            answer.set_exception(error)


def on_loop(done: list[Done]) -> list[Done]:
    """Return the outcomes that have to be completed on the loop."""
    return [pair for pair in done if isinstance(pair[0], asyncio.Future)]


def complete_here(done: list[Done]) -> None:
    """Hand over the outcomes that need no loop."""
    for answer, outcome in done:
        if not isinstance(answer, asyncio.Future):
            complete(answer, outcome)


def complete_all(done: list[Done]) -> None:
    """Hand over many outcomes."""
    for answer, outcome in done:
        complete(answer, outcome)


class Nobody:
    """The answer to a request whose outcome nobody waits for."""

    def done(self) -> bool:
        """Say no: the request is to be run."""
        return False

    def set_result(self, result: Any) -> None:
        """Drop it."""

    def set_exception(self, error: Exception) -> None:
        """Drop it."""
