"""However many caches miss the store, and however often, its outage is two lines of the log."""

import logging

import pytest

from control_plane.apiserver.etcd.errors import StoreUnavailableError
from control_plane.apiserver.storage.outage import StoreOutage

GONE = StoreUnavailableError("connection refused")


def test_an_outage_begins_once_and_ends_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outage = StoreOutage()
    for cache in ("pods", "nodes"):
        outage.follows(cache)  # the first connection is no recovery
    for _ in range(3):
        for cache in ("pods", "nodes"):
            outage.waits(cache, GONE)
    outage.follows("pods")
    outage.waits("pods", GONE)
    outage.follows("nodes")
    [begin] = caplog.messages
    assert begin == "store unavailable cache=pods action=retry error=connection refused"
    outage.follows("pods")
    assert caplog.messages[1:] == ["store available again"]


def test_the_next_outage_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    outage = StoreOutage()
    for _ in range(2):
        outage.waits("pods", GONE)
        outage.follows("pods")
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 4
