"""Which resources hold content that can be deleted: built-in ones, and custom ones."""

import asyncio
from collections.abc import Iterator
from typing import Final

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object
from control_plane.api.resources import BUILT_IN, EVENTS, RESOURCES, Resource
from control_plane.client.client import ApiClient

# Each object once: not again in the other versions and groups that serve it.
_STORED = tuple(row for row in RESOURCES if BUILT_IN.keeps(row))
_BUILT_IN_VERSIONS: Final = frozenset((row.group, row.version) for row in RESOURCES)


def deletable_namespaced() -> tuple[Resource, ...]:
    """Return the stored namespaced resources that can be deleted."""
    return tuple(row for row in _STORED if row.namespaced and "delete" in row.verbs)


def collectable() -> tuple[Resource, ...]:
    """Return the resources that can be watched and deleted, events apart: they expire anyway."""
    needed = {"delete", "list", "watch"}
    return tuple(row for row in _STORED if needed <= set(row.verbs) and row != EVENTS)


async def custom_resources(client: ApiClient) -> list[Resource]:
    """Return what is served beside the built-in resources, in every version.

    The version that the server prefers comes before the others of its group. Raises ApiError.
    """
    groups = (await client.request("GET", "/apis")).get("groups") or ()
    documents = await asyncio.gather(
        *(
            _resources(client, group["name"], version)
            for group in groups
            for version in _versions(group)
            if (group["name"], version) not in _BUILT_IN_VERSIONS
        )
    )
    return [row for rows in documents for row in rows]


def in_one_version(rows: list[Resource]) -> list[Resource]:
    """Return the first row of each group and plural."""
    found: dict[tuple[str, str], Resource] = {}
    for row in rows:
        found.setdefault((row.group, row.plural), row)
    return [*found.values()]


def _versions(group: Object) -> Iterator[str]:
    preferred = (group.get("preferredVersion") or {}).get("version")
    if preferred:
        yield preferred
    for one in group.get("versions") or ():
        if one["version"] != preferred:
            yield one["version"]


async def _resources(client: ApiClient, group: str, version: str) -> list[Resource]:
    try:
        document = await client.request("GET", f"/apis/{group}/{version}")
    except NotFound:
        return []  # it has gone since the groups were read
    if not isinstance(document, dict):
        return []
    return [
        Resource(
            group, version, one["kind"], one["name"], one["namespaced"], verbs=tuple(one["verbs"])
        )
        for one in document.get("resources") or ()
        if "/" not in one["name"]
    ]
