"""A start that takes long says what it waits for."""

import asyncio
from pathlib import Path

import pytest

from tapir.up import readiness
from tests.support.apiserver import cluster_pki
from tests.support.ports import free_port


async def test_what_is_waited_for_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 0.0)
    pki = cluster_pki(tmp_path, f"https://127.0.0.1:{free_port()}")
    said: asyncio.Queue[str] = asyncio.Queue()

    waiting = asyncio.create_task(
        readiness.wait_until_ready(pki.kubeconfig(), "n", said.put_nowait)
    )

    assert await said.get() == "waiting for the API server and its store"
    waiting.cancel()
    await asyncio.wait([waiting])
    assert said.empty()
