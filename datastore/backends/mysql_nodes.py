"""The nodes of a URL with several hosts, and a connection to the first of them that serves.

They are tried in the URL's order, so that servers with the same URL meet at one node, where they
wait for each other's locks instead of overtaking each other. A node that did not serve is tried
after the others for a while: one that has gone silent costs seconds each time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from datastore.backends.mysql_connection import MysqlConnection, Purpose, Trouble, code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datastore.backends.mysql_target import Node, Target

SHUNNED_SECONDS = 10.0


class Nodes:
    """What a process knows of the nodes that it has tried; any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[Node, float] = {}

    def ordered(self, nodes: tuple[Node, ...]) -> list[Node]:
        """Return nodes in their order, those that failed lately behind the others."""
        since = self._clock() - SHUNNED_SECONDS
        return sorted(nodes, key=lambda node: self._failed.get(node, since) > since)

    def failed(self, node: Node) -> None:
        """Note that a node did not serve just now."""
        self._failed[node] = self._clock()

    def served(self, node: Node) -> None:
        """Note that a node serves."""
        self._failed.pop(node, None)


_nodes = Nodes()


def connect(target: Target, purpose: Purpose = "work") -> MysqlConnection:
    """Connect to the first node that serves; if none does, the driver's error says why of each."""
    troubles: list[tuple[Node, Trouble]] = []
    for node in _nodes.ordered(target.nodes):
        try:
            connection = MysqlConnection(target, node, purpose)
        except Trouble as error:
            _nodes.failed(node)
            troubles.append((node, error))
        else:
            _nodes.served(node)
            return connection
    raise _together(troubles)


def connect_each(target: Target) -> Iterator[MysqlConnection]:
    """Connect to every node that serves, in the URL's order; the caller closes each."""
    for node in target.nodes:
        try:
            yield MysqlConnection(target, node)
        except Trouble:
            continue


def _together(troubles: list[tuple[Node, Trouble]]) -> Trouble:
    """Return one error for all nodes, with the number of the last."""
    last = troubles[-1][1]
    if len(troubles) == 1:
        return last
    texts = (f"{node.host}:{node.port}: {error.args[-1]}" for node, error in troubles)
    return Trouble(code_of(last), "; ".join(texts))
