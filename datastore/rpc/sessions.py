"""What the Lock and Election services share: a session's lease, waiting, and the shape of errors.

etcd runs these services on a client of its own inside the server. Its errors lose their gRPC code
on the way: every one arrives as UNKNOWN with the text of the call that failed. Only a server that
stops, or has lost its database, says UNAVAILABLE here, which tells the client to come back.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from datastore.errors import DatastoreError, ServerStopped, Unavailable
from datastore.mvcc import turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from datastore.rpc.answering import Edge

SESSION_SECONDS = 60
T = TypeVar("T")


def without_code(call: Callable[[Edge, Any], Awaitable[T]]) -> Callable[[Edge, Any], Awaitable[T]]:
    """Make a method's errors UNKNOWN."""

    @wraps(call)
    async def answer(edge: Edge, request: Any) -> T:
        try:
            return await call(edge, request)
        except Unavailable:
            raise
        except DatastoreError as error:
            raise DatastoreError(str(error)) from error

    return answer


async def lease_of(edge: Edge, lease: int) -> int:
    """Return a session's lease: the one given, or a new one that nobody renews but the client."""
    if lease:
        return lease
    _, granted = await edge.keys.grant(0, SESSION_SECONDS)
    return granted.id


async def wait_turn(edge: Edge, prefix: bytes, ticket: turns.Ticket) -> None:
    """Wait until the ticket is the oldest; a wait that fails gives its place up.

    A server that stops does not: the client may come back to its place with the same lease.
    """
    try:
        await _unless_stopped(edge, turns.wait(edge.keys, prefix, ticket.created))
    except ServerStopped:
        raise
    except (asyncio.CancelledError, DatastoreError):
        with suppress(DatastoreError):  # its lease ends the place then
            await turns.leave(edge.keys, ticket.key, ticket.created)
        raise


async def _unless_stopped(edge: Edge, waiting: Coroutine[Any, Any, None]) -> None:
    tasks = asyncio.ensure_future(waiting), asyncio.ensure_future(edge.stopping.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise ServerStopped
        tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
