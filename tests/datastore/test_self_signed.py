"""A certificate of our own making: whose it is to read."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from datastore.errors import ConfigError
from datastore.tls import self_signed


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_everything_made_is_the_owners_alone(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "fixtures" / "client"

    self_signed.ensure(directory, ["localhost", "127.0.0.1", "::1"], 1)

    assert {mode(path) for path in (directory, *directory.parents[:2])} == {0o700}
    assert {mode(directory / name) for name in ("cert.pem", "key.pem")} == {0o600}


def test_a_key_that_was_there_is_hidden_when_it_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "key.pem").touch(0o644)

    self_signed.ensure(tmp_path, ["localhost"], 1)

    assert mode(tmp_path / "key.pem") == 0o600


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(ConfigError, match=f"{tmp_path}/data"):
        self_signed.ensure(tmp_path / "data" / "fixtures", ["localhost"], 1)
