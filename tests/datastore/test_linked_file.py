"""A SQLite file that is reached by a link: its log is beside the file, not beside the link."""

from pathlib import Path

import pytest

from datastore.backends import sqlite
from datastore.mvcc.backend import BackendBroken
from datastore.mvcc.model import Put
from datastore.tools.snapshot_restore import Restore, restore
from tests.datastore.core import Core


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """A link to a file that is not there yet."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "store.db").symlink_to(tmp_path / "disk" / "real.db")
    return tmp_path / "store.db"


def test_the_log_is_checkpointed(link: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_BYTES", 0)
    real = link.readlink()
    with Core(f"sqlite:///{link}") as core:
        core.commit(*[Put(b"k%d" % n, b"v" * 10_000) for n in range(100)])
        before = real.stat().st_size
        core.backend.housekeep(core.session)
        assert real.stat().st_size - before > 100 * 10_000
        assert real.with_name("real.db.ballast").exists()
    assert [path.name for path in link.parent.iterdir() if path.name != "disk"] == ["store.db"]


def test_a_link_that_leads_elsewhere_is_noticed(link: Path) -> None:
    with Core(f"sqlite:///{link}") as core:
        core.backend.housekeep(core.session)
        link.unlink()
        link.symlink_to(link.with_name("other.db"))
        with pytest.raises(BackendBroken, match="another put in its place"):
            core.backend.housekeep(core.session)
    assert not link.exists()


def test_a_restore_of_a_link_has_the_newest_writes(link: Path, tmp_path: Path) -> None:
    with Core(f"sqlite:///{link}") as core:
        core.commit(Put(b"k", b"v"))
        restored = restore(Restore(link, check_hash=False), f"sqlite:///{tmp_path}/new.db")
    assert restored == (2, ())
