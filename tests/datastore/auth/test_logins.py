"""Logins as strangers may try them: what they cost, and what the log says of them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from datastore.errors.auth import AuthenticationFailed
from datastore.mvcc.auth.model import Credentials
from datastore.mvcc.auth.requests import EnableAuth, GrantRole
from datastore.mvcc.store import AuthOptions, Store
from tests.datastore.opened import opened

NOBODY = Credentials()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with auth on, and the users root and ann, whose names are their passwords."""
    async with opened(tmp_path / "store.db", auth=AuthOptions(bcrypt_cost=4)) as store:
        for name in ("root", "ann"):
            await store.auth.add_user(name, name, no_password=False, caller=NOBODY)
        await store.auth.change(GrantRole("root", "root"), NOBODY)
        await store.auth.change(EnableAuth(), NOBODY)
        yield store


async def test_a_name_of_any_length_is_a_short_line(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(AuthenticationFailed):
        await store.auth.authenticate("\x00" * 1_000_000, "x")

    (line,) = [record.getMessage() for record in caplog.records if "unknown user" in record.msg]
    assert len(line) < 400


async def test_who_guesses_one_password_does_not_hold_up_another_user(store: Store) -> None:
    guesses = [asyncio.create_task(store.auth.authenticate("root", "?")) for _ in range(200)]

    revision, token = await store.auth.authenticate("ann", "ann")

    assert revision == 1
    assert token
    assert not all(guess.done() for guess in guesses)
    for guess in guesses:
        guess.cancel()
    await asyncio.gather(*guesses, return_exceptions=True)
    assert (await store.auth.authenticate("root", "root"))[1]
