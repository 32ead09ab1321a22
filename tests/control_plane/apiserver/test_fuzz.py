"""Requests made from the OpenAPI documents and spoilt: no 5xx, no hang, nothing left behind.

`make fuzz` sends many more of them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.answers import AnswerFuzzer
from tests.fuzz.definitions import run_rounds
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.requests import Requests
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore

REQUESTS = 2_000
DEFINITIONS = 25
ANSWERS = 40
SEED = 20


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedApiServer]:
    """A server of its own: what is deleted here, others may want."""
    directory = tmp_path_factory.mktemp("fuzz")
    with Datastore() as store, ThreadedApiServer(store.endpoint, directory) as server:
        yield server


@pytest.fixture
def fuzzer(own_server: ThreadedApiServer) -> Iterator[Fuzzer]:
    made = Fuzzer(own_server.server.port, own_server.pki)
    yield made
    made.close()


def test_any_answer_of_a_webhook_is_taken_or_refused(
    own_server: ThreadedApiServer, tmp_path: Path
) -> None:
    fuzzer = AnswerFuzzer(own_server, tmp_path, SEED)
    fuzzer.run(ANSWERS)
    assert not fuzzer.faults, "\n".join(fuzzer.faults[:10])
    assert min(fuzzer.codes[code] for code in (200, 201, 500)) > 2, fuzzer.codes


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
