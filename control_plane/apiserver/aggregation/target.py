"""What a request for another server's path is about, as far as the URL says. Pure."""

from collections.abc import Mapping
from urllib.parse import unquote

from control_plane.apiserver.auth.authz import Attributes

_VERBS: Mapping[tuple[str, bool], str] = {
    ("POST", False): "create",
    ("POST", True): "create",
    ("GET", True): "get",
    ("HEAD", True): "get",
    ("GET", False): "list",
    ("HEAD", False): "list",
    ("PUT", True): "update",
    ("PATCH", True): "patch",
    ("DELETE", True): "delete",
    ("DELETE", False): "deletecollection",
}


def attributes_of(method: str, path: str, raw_path: str, *, watches: bool) -> Attributes:
    """What has to be allowed; a path without a resource is asked for as a path."""
    group, _version, *rest = (unquote(part) for part in raw_path.strip("/").split("/")[1:])
    if not rest or not rest[0]:
        return Attributes(verb=method.lower(), path=path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = [*rest, "", ""][:3]
    verb = _VERBS.get((method, bool(name)), method.lower())
    if verb == "list" and watches:
        verb = "watch"
    return Attributes(
        verb=verb,
        path=path,
        group=group,
        resource=plural,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )
