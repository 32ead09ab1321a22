"""In which order the hosts of a URL are tried."""

from datastore.backends.mysql_nodes import SHUNNED_SECONDS, Nodes
from datastore.backends.mysql_target import Node

A, B, C = (Node(name, 3306) for name in "abc")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_who_has_failed_lately_is_tried_last() -> None:
    clock = Clock()
    nodes = Nodes(clock)
    nodes.failed(A)

    assert nodes.ordered((A, B, C)) == [B, C, A]

    clock.now += SHUNNED_SECONDS

    assert nodes.ordered((A, B, C)) == [A, B, C]


def test_who_serves_again_has_its_place_again() -> None:
    nodes = Nodes(Clock())
    for node in (A, B, C):
        nodes.failed(node)
    nodes.served(A)

    assert nodes.ordered((A, B, C)) == [A, B, C]
    assert nodes.ordered((B, A)) == [A, B]
