"""Whole sessions of etcdctl: the texts beside this file are what a real etcd's user reads."""

from pathlib import Path

import pytest

from tests.contract.etcdctl.program import Etcdctl
from tests.contract.etcdctl.transcript import play

pytestmark = pytest.mark.any_backend


@pytest.mark.own_server
@pytest.mark.etcd_since("3.6")
@pytest.mark.parametrize("session", ["keys", "operations"])
async def test_a_session_reads_the_same(etcdctl: Etcdctl, session: str) -> None:
    text = (Path(__file__).parent / f"{session}.txt").read_text()

    assert await play(etcdctl, text) == text
