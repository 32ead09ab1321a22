"""Removes the identity leases of API servers that are gone: those not renewed for their duration.

Source: the identity lease garbage collector of kube-apiserver v1.35.
"""

import datetime
from collections.abc import Iterable, Iterator

import orjson

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import Object, labels_of, resource_version_of
from control_plane.api.resources import LEASES
from control_plane.api.timestamps import parse
from control_plane.apiserver.bootstrap_objects import IDENTITY, IDENTITY_LABEL
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import Selection

NAMESPACE = "kube-system"


def expired(leases: Iterable[Object], now: datetime.datetime) -> Iterator[Object]:
    """The identity leases that have run out; one that says nothing of time has."""
    for lease in leases:
        if labels_of(lease).get(IDENTITY_LABEL) != IDENTITY:
            continue
        if not _is_live(lease.get("spec") or {}, now):
            yield lease


def _is_live(spec: Object, now: datetime.datetime) -> bool:
    renewed, seconds = spec.get("renewTime"), spec.get("leaseDurationSeconds")
    if not renewed or seconds is None:
        return False
    return parse(renewed) + datetime.timedelta(seconds=seconds) >= now


async def remove_expired(collections: Collections, registry: Registry, call: Call) -> None:
    """Delete them, each only if it has not been renewed meanwhile."""
    entries = collections.of(LEASES).cache.select(Selection(namespace=NAMESPACE))
    now = datetime.datetime.now(datetime.UTC)
    for lease in expired((orjson.loads(entry.item) for entry in entries), now):
        options = DeleteOptions(resource_version=resource_version_of(lease))
        try:
            await registry.delete(LEASES, NAMESPACE, lease["metadata"]["name"], options, call)
        except NotFound:
            continue
        except ApiError as error:
            if error.code != 409:
                raise
