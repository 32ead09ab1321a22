"""Converter: makes one version of stored values another, where that takes asking somebody."""

from collections.abc import Sequence
from typing import Protocol

from control_plane.api.objects import Object
from control_plane.apiserver.encryption.encryption import Sealing
from control_plane.apiserver.etcd.model import Page, WatchBatch
from control_plane.apiserver.storage.stored_object import UndecryptableError


class Converter(Protocol):
    """Both raise UnconvertibleError."""

    async def served(self, values: Sequence[bytes], /) -> list[bytes]:
        """Stored values in the version that is served; what is no object stays as it is."""
        ...

    async def stored(self, obj: Object, /) -> Object:
        """An object in the version that is stored."""
        ...


async def converted_page(page: Page, converter: Converter, sealing: Sealing | None) -> Page:
    """A page whose values are plain and in the version that is served."""
    plain = [_opened(kv.value, kv.key, sealing) for kv in page.kvs]
    values = await converter.served(plain)
    kvs = [kv._replace(value=value) for kv, value in zip(page.kvs, values, strict=True)]
    return page._replace(kvs=kvs)


async def converted_batch(
    batch: WatchBatch, converter: Converter, sealing: Sealing | None
) -> WatchBatch:
    """Events whose values are plain and in the version that is served."""
    plain = [_opened(one.value, one.key, sealing) for one in batch.events if one.value is not None]
    values = iter(await converter.served(plain))
    events = [
        one if one.value is None else one._replace(value=next(values)) for one in batch.events
    ]
    return batch._replace(events=events)


def _opened(value: bytes, key: bytes, sealing: Sealing | None) -> bytes:
    """The plain value; one that cannot be opened stays, and is told of where it is read."""
    if sealing is None:
        return value
    try:
        return sealing.open(value, key).plain
    except UndecryptableError:
        return value
