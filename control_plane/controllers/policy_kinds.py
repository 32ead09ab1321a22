"""The kinds that a policy is about, with their types: Kubernetes' own, and those served beside.

Of the others, names and schemas are what the API server publishes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from control_plane.api.cel.definitions import type_of_published
from control_plane.api.cel.types import Type
from control_plane.api.errors import ApiError
from control_plane.api.objects import Object
from control_plane.api.policies.type_checking import Kind, native_type
from control_plane.api.resources import RESOURCES, resource_named
from control_plane.client.client import ApiClient

MOST_DOCUMENTS: Final = 10  # of groups and versions that one policy names
_BUILT_IN: Final = frozenset((row.group, row.version) for row in RESOURCES)


@dataclass(frozen=True, slots=True)
class PolicyKinds:
    """Kinds by group, version and resource, and the types of those that are not Kubernetes' own."""

    kinds: dict[tuple[str, str, str], str] = field(default_factory=dict)
    types: dict[Kind, Type] = field(default_factory=dict)

    def kind_of(self, group: str, version: str, plural: str) -> str | None:
        """Return the kind of a resource; None for one that nobody serves."""
        found = resource_named(group, version, plural)
        return found.kind if found is not None else self.kinds.get((group, version, plural))

    def type_of(self, kind: Kind) -> Type | None:
        """Return the type of a kind; None when it is not known."""
        return native_type(kind) or self.types.get(kind)


async def published_kinds(
    client: ApiClient, group_versions: Iterable[tuple[str, str]]
) -> PolicyKinds:
    """Read what is published of groups and versions; what is not served is left out."""
    found = PolicyKinds()
    others = sorted(set(group_versions) - _BUILT_IN)[:MOST_DOCUMENTS]
    for group, version in others:
        try:
            served = await client.request("GET", f"/apis/{group}/{version}")
            schemas = await client.request("GET", f"/openapi/v3/apis/{group}/{version}")
        except ApiError:
            continue
        for one in served.get("resources") or ():
            found.kinds[group, version, one["name"]] = one["kind"]
        found.types.update(_types(schemas, group, version))
    return found


def _types(document: Object, group: str, version: str) -> dict[Kind, Type]:
    found = {}
    for name, schema in ((document.get("components") or {}).get("schemas") or {}).items():
        for identity in schema.get("x-kubernetes-group-version-kind") or ():
            kind = Kind(identity["group"], identity["version"], identity["kind"])
            if (kind.group, kind.version) == (group, version):
                found[kind] = type_of_published(schema, name)
    return found
