"""Discovery documents of this server and of those behind it, joined. Pure.

Groups are ordered by the highest groupPriorityMinimum of their versions, versions by their
versionPriority. Source: kube-aggregator v1.35.
"""

from collections.abc import Iterable, Mapping

from control_plane.api.api_groups import group_priority, ordered_versions, version_priority
from control_plane.api.objects import Object
from control_plane.apiserver.aggregation.remote import Remote


def merged_groups(local: Object, remotes: Iterable[Remote]) -> Object:
    """The document of /apis with the groups of `remotes`."""
    remotes = list(remotes)
    own = {group["name"]: group for group in local["groups"]}
    names = {*own, *(remote.group for remote in remotes)}
    groups = [merged_group(own.get(name), name, remotes) for name in _ordered(names, remotes)]
    return {**local, "groups": groups}


def merged_group(local: Object | None, name: str, remotes: Iterable[Remote]) -> Object:
    """The document of /apis/NAME, or its entry in that of /apis."""
    theirs = [remote for remote in remotes if remote.group == name]
    versions = {one["version"] for one in (local or {}).get("versions") or ()}
    shown = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in _ordered_versions(name, versions, theirs)
    ]
    return {**(local or {}), "name": name, "versions": shown, "preferredVersion": shown[0]}


def merged_discovery(local: Object, remotes: Mapping[Remote, Object]) -> Object:
    """The aggregated document of /apis with the versions that `remotes` serve."""
    own = {item["metadata"]["name"]: item for item in local["items"]}
    names = {*own, *(remote.group for remote in remotes)}
    items = [_item(own.get(name), name, remotes) for name in _ordered(names, remotes)]
    return {**local, "items": items}


def _item(local: Object | None, name: str, remotes: Mapping[Remote, Object]) -> Object:
    theirs = {remote: one for remote, one in remotes.items() if remote.group == name}
    if not theirs:
        assert local is not None
        return local
    by_version = {one["version"]: one for one in (local or {}).get("versions") or ()}
    own = set(by_version)
    by_version |= {remote.version: one for remote, one in theirs.items()}
    order = _ordered_versions(name, own, theirs)
    head = local or {"metadata": {"name": name}}
    return {**head, "versions": [by_version[version] for version in order]}


def _ordered(names: Iterable[str], remotes: Iterable[Remote]) -> list[str]:
    priorities: dict[str, int] = {}
    for remote in remotes:
        known = priorities.get(remote.group, 0)
        priorities[remote.group] = max(known, remote.group_priority)
    return sorted(names, key=lambda name: (-(priorities.get(name) or group_priority(name)), name))


def _ordered_versions(group: str, own: Iterable[str], remotes: Iterable[Remote]) -> list[str]:
    priorities = {version: version_priority(group, version) for version in own}
    priorities |= {remote.version: remote.version_priority for remote in remotes}
    return sorted(ordered_versions(priorities), key=lambda version: -priorities[version])


def discovered(remote: Remote, document: object) -> Object | None:
    """The version in what the server answers at /apis, an APIGroupDiscoveryList; else None."""
    if not isinstance(document, dict) or document.get("kind") != "APIGroupDiscoveryList":
        return None
    for item in document.get("items") or ():
        if (item.get("metadata") or {}).get("name") != remote.group:
            continue
        for version in item.get("versions") or ():
            if version.get("version") == remote.version:
                return {**version, "freshness": "Current"}
    return None


def from_resource_list(remote: Remote, document: object) -> Object | None:
    """The version as an APIResourceList tells of it; None for what is none."""
    if not isinstance(document, dict) or not isinstance(document.get("resources"), list):
        return None
    found: dict[str, Object] = {}
    for entry in sorted(document["resources"], key=lambda one: str(one.get("name"))):
        plural, _, subresource = str(entry.get("name")).partition("/")
        kind = {
            "group": entry.get("group") or remote.group,
            "version": entry.get("version") or remote.version,
            "kind": entry.get("kind") or "",
        }
        if not subresource:
            found[plural] = _resource(plural, kind, entry)
        elif plural in found:
            verbs = entry.get("verbs") or []
            sub = {"subresource": subresource, "responseKind": kind, "verbs": verbs}
            found[plural].setdefault("subresources", []).append(sub)
    resources = list(found.values())
    return {"version": remote.version, "resources": resources, "freshness": "Current"}


def _resource(plural: str, kind: Object, entry: Object) -> Object:
    resource = {
        "resource": plural,
        "responseKind": kind,
        "scope": "Namespaced" if entry.get("namespaced") else "Cluster",
        "singularResource": entry.get("singularName") or "",
        "verbs": entry.get("verbs") or [],
    }
    for field in ("shortNames", "categories"):
        if entry.get(field):
            resource[field] = entry[field]
    return resource
