"""The deprecated watch paths of built-in kinds: /api/v1/watch/pods and the like.

They are served, and so documented, as upstream does: one for all namespaces, one for a collection,
one for an object. Custom resources have none. Called by operations.py. Source: api/openapi-spec of
Kubernetes v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.schema import META_V1

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.resources import Resource

WATCH_EVENT: Final = META_V1 + "WatchEvent"


def watch_paths(row: Resource) -> Iterator[tuple[str, str, str]]:
    """Yield the path, the action and what follows the version in the operation id of each."""
    if row.custom is not None or "watch" not in row.verbs:
        return
    collection = _below_watch(row, row.path("{namespace}"))
    if row.namespaced:
        yield _below_watch(row, row.path()), "watchlist", f"{row.kind}ListForAllNamespaces"
    scope = "Namespaced" if row.namespaced else ""
    yield collection, "watchlist", f"{scope}{row.kind}List"
    yield f"{collection}/{{name}}", "watch", f"{scope}{row.kind}"


def _below_watch(row: Resource, path: str) -> str:
    return f"{row.root_path}/watch{path.removeprefix(row.root_path)}"
