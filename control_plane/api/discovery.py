"""Discovery documents: which groups, versions and resources are served.

Pure builders over a ResourceSet; the API server encodes and caches what they return, and rebuilds
it when the set changes. Both forms: the legacy documents one by one, and the aggregated
APIGroupDiscoveryList of each root.
Source: the discovery documents of Kubernetes v1.35.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.api_groups import ordered_groups, ordered_versions

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from control_plane.api.resources import Resource, ResourceSet, Subresource

AGGREGATED_MEDIA_TYPE: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
)


def core_versions(server_address: str) -> Object:
    """Return the document of /api; `server_address` is "host:port" as clients reach this server."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [
            {"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}
        ],
    }


def group_list(served: ResourceSet) -> Object:
    """Return the document of /apis."""
    groups = [_group(served, group) for group in _groups(served) if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(served: ResourceSet, name: str) -> Object | None:
    """Return the document of /apis/GROUP; None when the group is not served."""
    if not name or name not in _groups(served):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(served, name)}


def resource_list(served: ResourceSet, group: str, version: str) -> Object | None:
    """Return the document of /api/v1 (group "") or /apis/GROUP/VERSION.

    None when it is not served.
    """
    rows = served.in_group_version(group, version)
    if not rows:
        return None
    entries = [entry for row in rows for entry in _entries(row)]
    head: Object = {"kind": "APIResourceList"}
    if group:
        head["apiVersion"] = "v1"
    return {**head, "groupVersion": rows[0].api_version, "resources": entries}


def aggregated_core(served: ResourceSet) -> Object:
    """Return the aggregated document of /api."""
    return _aggregated([_group_discovery(served, "")])


def aggregated_groups(served: ResourceSet) -> Object:
    """Return the aggregated document of /apis."""
    return _aggregated([_group_discovery(served, name) for name in _groups(served) if name])


def storage_version_hash(row: Resource) -> str:
    """Return the hash that tells clients when the stored form of a type changes."""
    identity = "/".join(row.storage_group_version_kind)
    return base64.b64encode(hashlib.sha256(identity.encode()).digest()[:8]).decode()


def _groups(served: ResourceSet) -> list[str]:
    return ordered_groups(row.group for row in served.rows)


def _versions(served: ResourceSet, group: str) -> list[str]:
    return ordered_versions(row.version for row in served.rows if row.group == group)


def _group(served: ResourceSet, name: str) -> Object:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in _versions(served, name)
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _entries(row: Resource) -> list[Object]:
    """Return the resource's own entry and those of its subresources, by name."""
    entry: Object = {
        "name": row.plural,
        "singularName": row.singular_name,
        "namespaced": row.namespaced,
        "kind": row.kind,
        "verbs": _verbs(row),
        **_names(row),
    }
    if row.is_stored:
        entry["storageVersionHash"] = storage_version_hash(row)
    return [entry, *(_subresource_entry(row, sub) for sub in _sorted_subresources(row))]


def _subresource_entry(row: Resource, sub: Subresource) -> Object:
    entry: Object = {
        "name": f"{row.plural}/{sub.name}",
        "singularName": "",
        "namespaced": row.namespaced,
    }
    if sub.version:
        entry |= {"group": sub.group, "version": sub.version}
    return {**entry, "kind": sub.kind or row.kind, "verbs": sorted(sub.verbs)}


def _sorted_subresources(row: Resource) -> list[Subresource]:
    return sorted(row.subresources, key=lambda sub: sub.name)


def _verbs(row: Resource) -> list[str]:
    """Return the verbs in the order of the alphabet, of custom resources in upstream's own."""
    return list(row.verbs) if row.custom is not None else sorted(row.verbs)


def _names(row: Resource) -> dict[str, Any]:
    named = {"shortNames": row.short_names, "categories": row.categories}
    return {key: list(names) for key, names in named.items() if names}


def _aggregated(items: list[Object]) -> Object:
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _group_discovery(served: ResourceSet, name: str) -> Object:
    versions = [
        {
            "version": version,
            "resources": [_discovery(row) for row in served.in_group_version(name, version)],
            "freshness": "Current",
        }
        for version in _versions(served, name)
    ]
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def _discovery(row: Resource) -> Object:
    entry: Object = {
        "resource": row.plural,
        "responseKind": {"group": "", "version": "", "kind": row.kind},
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular_name,
        "verbs": _verbs(row),
        **_names(row),
    }
    if row.subresources:
        entry["subresources"] = [_sub_discovery(row, sub) for sub in _sorted_subresources(row)]
    return entry


def _sub_discovery(row: Resource, sub: Subresource) -> Object:
    kind = {"group": sub.group, "version": sub.version, "kind": sub.kind or row.kind}
    return {"subresource": sub.name, "responseKind": kind, "verbs": sorted(sub.verbs)}
