"""What a request is about, read from its method and URL alone, whether that is served or not. Pure.

Source: the request info of Kubernetes' API server (apiserver/pkg/endpoints/request).
"""

from typing import NamedTuple
from urllib.parse import unquote

from control_plane.api import field_selector
from control_plane.apiserver.http.query import Query

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_OF_NAMESPACES = frozenset({"status", "finalize"})
_LONG_RUNNING = frozenset({"attach", "exec", "proxy", "log", "portforward"})


class RequestInfo(NamedTuple):
    """A resource request has `resource`; another has `path` and a method as its verb."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def is_resource(self) -> bool:
        """Whether it is about objects of the API."""
        return bool(self.resource)

    @property
    def is_long_running(self) -> bool:
        """Whether its answer goes on as long as the client likes."""
        return self.verb in ("watch", "proxy") or self.subresource in _LONG_RUNNING


def request_info(method: str, raw_path: str, query: Query) -> RequestInfo:
    """Read a request; `raw_path` is still percent-encoded."""
    path = unquote(raw_path)
    parts = [unquote(part) for part in raw_path.strip("/").split("/")]
    located = _located(parts)
    if located is None:
        return RequestInfo(method.lower(), path)
    group, version, rest = located
    verb = _VERBS.get(method, "")
    if rest[0] in ("watch", "proxy") and len(rest) > 1:
        verb, rest = rest[0], rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACES:
            rest = rest[2:]
    resource, name, subresource = [*rest, "", ""][:3]
    if not name:
        verb, name = _of_many(verb, query)
    return RequestInfo(verb, path, group, version, resource, namespace, name, subresource)


def _located(parts: list[str]) -> tuple[str, str, list[str]] | None:
    """The group, the version and what follows them; None for what is no resource."""
    if parts[0] == "api" and len(parts) > 2:
        return "", parts[1], parts[2:]
    if parts[0] == "apis" and len(parts) > 3:
        return parts[1], parts[2], parts[3:]
    return None


def _of_many(verb: str, query: Query) -> tuple[str, str]:
    """The verb of a request for a collection, and the only name that it selects."""
    if verb == "get":
        verb = "watch" if query.flag("watch") else "list"
    elif verb == "delete":
        verb = "deletecollection"
    if verb not in ("list", "watch", "deletecollection"):
        return verb, ""
    try:
        return verb, field_selector.parse(query.text("fieldSelector")).exact("metadata.name") or ""
    except ValueError:
        return verb, ""
