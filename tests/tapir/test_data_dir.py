"""The data directory is claimed by one process at a time, and only when it is ours."""

from pathlib import Path

import pytest

from tapir.up.config import ConfigError
from tapir.up.data_dir import MARKER, claimed


def test_an_empty_directory_becomes_ours(tmp_path: Path) -> None:
    with claimed(tmp_path / "data") as claim:
        claim.keep()

    assert (tmp_path / "data" / MARKER).exists()


def test_a_claim_that_was_not_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    with claimed(tmp_path / "data"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_claim_that_was_not_kept_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"precious")

    with claimed(tmp_path):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["store.db"]


def test_our_directory_can_be_claimed_again_after_a_release(tmp_path: Path) -> None:
    with claimed(tmp_path) as claim:
        claim.keep()
    (tmp_path / "cluster.db").write_bytes(b"")

    with claimed(tmp_path):
        assert (tmp_path / MARKER).exists()


def test_a_second_claim_is_refused(tmp_path: Path) -> None:
    with (
        claimed(tmp_path),
        pytest.raises(ConfigError, match="in use by another `tapir up`"),
        claimed(tmp_path),
    ):
        pass


def test_a_directory_with_only_databases_may_become_ours(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"")
    (tmp_path / "store.db-wal").write_bytes(b"")

    with claimed(tmp_path):
        assert (tmp_path / MARKER).exists()


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(ConfigError, match="is not a directory"), claimed(tmp_path / "data"):
        pass


def test_a_directory_that_cannot_be_looked_into_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(ConfigError, match="choose another with --data-dir"),
        claimed(tmp_path / "file" / "data"),
    ):
        pass
