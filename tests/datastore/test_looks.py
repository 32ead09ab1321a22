"""A look of SQLite is what a snapshot says: the state, and the live rows of the keys asked for."""

from collections.abc import Iterator

import pytest

from datastore.mvcc.model import DeleteRange, Put
from tests.datastore.core import Core

LIVE = [b"k%03d" % number for number in range(600)]  # more than one list of keys
GONE = b"gone"


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """A store with live keys and a deleted one."""
    path = tmp_path_factory.mktemp("looks") / "store.db"
    with Core(f"sqlite:///{path}") as made:
        made.commit(*(Put(key, b"of \0" + key) for key in [*LIVE, GONE]))
        made.commit(Put(LIVE[0], b"again"), DeleteRange(GONE))
        yield made


@pytest.mark.parametrize(
    "keys",
    [[], [b"never"], [GONE], LIVE[:1], LIVE[:8], [*LIVE[:8], GONE], [b"never", *LIVE[9:80]], LIVE],
    ids=["none", "never", "gone", "one", "list", "padded list", "some", "many lists"],
)
def test_a_look_is_what_a_snapshot_says(core: Core, keys: list[bytes]) -> None:
    state, rows = core.session.look(keys)
    with core.session.snapshot() as snapshot:
        assert state._replace(now=0) == snapshot.state()._replace(now=0)
        assert rows == snapshot.live(keys)
    assert set(rows) == set(keys) & set(LIVE)


@pytest.mark.parametrize("key", [LIVE[0], LIVE[9], GONE, b"never"])
def test_a_row_alone_is_what_a_look_finds(core: Core, key: bytes) -> None:
    assert core.session.live_row(key) == core.session.look([key])[1].get(key)
