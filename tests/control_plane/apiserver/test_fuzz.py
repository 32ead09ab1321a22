"""Requests made from the OpenAPI documents and spoilt: no 5xx, no hang, nothing left behind.

`make fuzz` sends many more of them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.definitions import run_rounds
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.requests import Requests
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore

REQUESTS = 2_000
DEFINITIONS = 25
SEED = 20


@pytest.fixture
def fuzzer(tmp_path: Path) -> Iterator[Fuzzer]:
    """Return a fuzzer of a server of its own: what it deletes, others may want."""
    with Datastore() as store, ThreadedApiServer(store.endpoint, tmp_path) as server:
        made = Fuzzer(server.server.port, server.pki)
        yield made
        made.close()


def test_spoilt_requests_are_answered_with_no_fault(fuzzer: Fuzzer) -> None:
    fuzzer.run(Requests(fuzzer.operations(), SEED), REQUESTS)
    assert not fuzzer.faults, "\n".join(fuzzer.faults[:10])
    assert sum(fuzzer.codes.values()) == REQUESTS
    assert fuzzer.codes[200] > REQUESTS / 10, "too few of them come to anything"
    healthy = sum(fuzzer.codes.values())
    run_rounds(fuzzer, SEED, DEFINITIONS)
    assert not fuzzer.faults, "\n".join(fuzzer.faults[:10])
    assert sum(fuzzer.codes.values()) > healthy + 15 * DEFINITIONS
    assert fuzzer.codes[201] > DEFINITIONS, "too few of them come to anything"
