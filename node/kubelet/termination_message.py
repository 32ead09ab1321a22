"""What a container left as its last words: the end of its message file, or of its log.

Called by the pod worker for exited containers, once each. `tail` is pure.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

from node.kubelet.containers.container_config import (
    MESSAGE_PATH_ANNOTATION,
    MESSAGE_POLICY_ANNOTATION,
)
from node.kubelet.runtimes.base import ContainerRecord, LogQuery, Runtime, RuntimeFailure

FILE_BYTES, LOG_BYTES, LOG_LINES = 4096, 2048, 80


async def termination_message(runtime: Runtime, record: ContainerRecord) -> str:
    """Return the message of an exited container, "" when it left none."""
    path = record.annotations.get(MESSAGE_PATH_ANNOTATION, "")
    data = b""
    if source := record.mounts.get(path):
        try:
            data = await asyncio.to_thread(_end_of, Path(source), FILE_BYTES)
        except OSError as error:
            return f"Error on reading termination log {source}: {error.strerror}"
    if not data and _falls_back(record):
        data = await _end_of_log(runtime, record.id)
    return data.decode(errors="replace")


def _falls_back(record: ContainerRecord) -> bool:
    policy = record.annotations.get(MESSAGE_POLICY_ANNOTATION)
    failed = record.exit_code != 0 and record.reason != "ContainerCannotRun"
    return policy == "FallbackToLogsOnError" and failed


def _end_of(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(length - size, 0))
        return file.read(size)


async def _end_of_log(runtime: Runtime, container_id: str) -> bytes:
    collected = bytearray()
    try:
        async with aclosing(runtime.logs(container_id, LogQuery(tail=LOG_LINES))) as chunks:
            async for chunk in chunks:
                collected += chunk
                del collected[:-LOG_BYTES]
    except RuntimeFailure:
        return b""
    return bytes(collected)
