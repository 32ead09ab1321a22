"""YAML, read and written beside the event loop where it is long.

It takes about a millisecond a kilobyte, for which time nobody else would be served. One thread
does it, one document at a time, so that the event loop has at most one to share the interpreter
with.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import orjson
import yaml

from control_plane.api.yaml_syntax import resolve_as_go_does

IN_PLACE_BYTES = 8 * 1024

Made = TypeVar("Made")

_THREAD = ThreadPoolExecutor(1, "yaml")
_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):  # type: ignore[misc]
    """Writes texts in quotes that readers in Go or in Python would take for something else."""


resolve_as_go_does(_Dumper)


async def read_beside(body: bytes, read: Callable[[bytes], Made]) -> Made:
    """What `read` makes of a body in YAML, or raises."""
    if len(body) <= IN_PLACE_BYTES:
        return read(body)
    return await asyncio.get_running_loop().run_in_executor(_THREAD, read, body)


async def yaml_of(body: bytes) -> bytes:
    """The YAML of a JSON document."""
    return await read_beside(body, _written)


def _written(body: bytes) -> bytes:
    document = orjson.loads(body)
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text.encode()
