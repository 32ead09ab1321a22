"""The kinds that owners and dependents may be of: built-in ones, and custom ones as discovered."""

from control_plane.api.resources import Resource, resource_for
from control_plane.client.client import ApiClient
from control_plane.controllers.discovery import custom_resources, in_one_version

_WATCHED = frozenset({"delete", "list", "watch"})


class UnknownKind(Exception):
    """An owner reference names a kind that is not served: nothing may be concluded from it."""


class ServedKinds:
    """Rows by apiVersion and kind."""

    def __init__(self) -> None:
        """Know the built-in kinds."""
        self._custom: dict[tuple[str, str], Resource] = {}
        self._watched: dict[tuple[str, str, str], Resource] = {}

    def of(self, api_version: str, kind: str) -> Resource:
        """Return the row of a kind; raises UnknownKind."""
        found = resource_for(api_version, kind) or self._custom.get((api_version, kind))
        if found is None:
            raise UnknownKind(f"{api_version} {kind}")
        return found

    async def refresh(self, client: ApiClient) -> tuple[list[Resource], list[Resource]]:
        """Discover anew; return the resources to watch that have come, and those that went."""
        rows = await custom_resources(client)
        self._custom = {(row.api_version, row.kind): row for row in rows}
        wanted = {
            (row.group, row.version, row.plural): row
            for row in in_one_version(rows)
            if set(row.verbs) >= _WATCHED
        }
        came = [row for key, row in wanted.items() if key not in self._watched]
        went = [row for key, row in self._watched.items() if key not in wanted]
        self._watched = {key: self._watched.get(key, row) for key, row in wanted.items()}
        return came, went
