"""What a URL is about: a resource's collection, one object, or a subresource.

    /api/v1/...  or  /apis/GROUP/VERSION/...  followed by one of
    PLURAL[/NAME[/SUBRESOURCE]]                       cluster-scoped, or all namespaces
    namespaces/NAMESPACE/PLURAL[/NAME[/SUBRESOURCE]]  within a namespace
    watch/...                                         the old form of ?watch=true

`proxy` of pods, services and nodes may be followed by any path, which is not this server's.

Pure. Segments are split before they are percent-decoded, so that an encoded slash stays in a name.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from control_plane.api.resources import NAMESPACES, Resource, ResourceSet

_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_PROXY = re.compile(
    r"(/api/v1/(?:namespaces/[^/]+/(?:pods|services)|nodes)/[^/]+/proxy)(/.*)?", re.DOTALL
)


class Target(NamedTuple):
    """A parsed resource URL; `name`, `namespace` and `subresource` are "" where absent.

    `proxy_path` is what follows `proxy`, from its slash on, as it came.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    is_watch_path: bool = False
    proxy_path: str = ""


def parse_target(raw_path: str, resources: ResourceSet) -> Target | None:
    """The target of a URL path, or None when nothing is served there."""
    proxied = _PROXY.fullmatch(raw_path)
    target = _parse(proxied[1] if proxied else raw_path, resources)
    if target is not None and proxied:
        target = target._replace(proxy_path=proxied[2] or "")
    return None if target is None else _checked(target)


def unserved_subresource(raw_path: str, resources: ResourceSet) -> Target | None:
    """What a URL path wants of a served resource that is not served of it."""
    target = _parse(raw_path, resources)
    if target is None or not target.subresource:
        return None
    return target if target.resource.subresource(target.subresource) is None else None


def unserved_resource(raw_path: str) -> Target | None:
    """What a path under a group's version would be about if its resource were served."""
    located = _group_version([unquote(part) for part in raw_path.strip("/").split("/")])
    if located is None:
        return None
    group, version, rest = located
    rest = rest[1:] if rest[:1] == ["watch"] else rest
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in _NAMESPACE_SUBRESOURCES:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = [*rest, "", "", ""][:3]
    return Target(
        Resource(group, version, "", plural, True, storage=""), namespace, name, subresource
    )


def _parse(raw_path: str, resources: ResourceSet) -> Target | None:
    parts = raw_path.strip("/").split("/")
    if "%" in raw_path:
        parts = [unquote(part) for part in parts]
    located = _group_version(parts)
    if located is None:
        return None
    group, version, rest = located
    is_watch_path = rest[:1] == ["watch"]
    if is_watch_path:
        rest = rest[1:]
    target = _place(resources, group, version, rest)
    if target is None or "" in rest:
        return None
    return target._replace(is_watch_path=True) if is_watch_path else target


def _group_version(parts: list[str]) -> tuple[str, str, list[str]] | None:
    if parts[0] == "api" and len(parts) > 2:
        return "", parts[1], parts[2:]
    if parts[0] == "apis" and len(parts) > 3:
        return parts[1], parts[2], parts[3:]
    return None


def _place(resources: ResourceSet, group: str, version: str, rest: list[str]) -> Target | None:
    namespace = ""
    in_namespace = len(rest) > 2 and rest[0] == "namespaces"
    if in_namespace and not (not group and rest[2] in _NAMESPACE_SUBRESOURCES and len(rest) == 3):
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 3:
        return None
    resource = resources.named(group, version, rest[0])
    if resource is None:
        return None
    _plural, name, subresource = [*rest, "", ""][:3]
    return Target(resource, namespace, name, subresource)


def _checked(target: Target) -> Target | None:
    """None where scope and URL disagree: a namespaced object needs its namespace."""
    resource = target.resource
    if target.namespace and not resource.namespaced:
        return None
    if resource.namespaced and target.name and not target.namespace:
        return None
    if target.subresource and resource.subresource(target.subresource) is None:
        return None
    if target.is_watch_path and (target.subresource or "watch" not in resource.verbs):
        return None
    return target._replace(namespace=target.name) if resource is NAMESPACES else target
