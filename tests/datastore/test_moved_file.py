"""A SQLite file that goes away under a running server, or is replaced by a restored one."""

from pathlib import Path

import pytest

from datastore.mvcc.backend import BackendBroken
from datastore.mvcc.model import Put
from tests.datastore.core import Core


@pytest.mark.parametrize("replaced", [True, False])
def test_nothing_more_is_written_to_a_file_that_nobody_will_find(
    tmp_path: Path, replaced: bool
) -> None:
    path = tmp_path / "store.db"
    with Core(f"sqlite:///{path}") as core:
        core.commit(Put(b"a", b""))
        core.backend.housekeep(core.session)
        healthy = core.backend.broken
        path.rename(tmp_path / "moved.db")
        if replaced:
            path.write_bytes(b"")
        with pytest.raises(BackendBroken, match="another put in its place"):
            core.backend.housekeep(core.session)
        with pytest.raises(BackendBroken):
            core.commit(Put(b"b", b""))

        assert healthy == ""
        assert str(path) in core.backend.broken
