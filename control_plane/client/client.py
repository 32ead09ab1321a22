"""The API client: the verbs of the Kubernetes API on rows of the RESOURCES table.

Every component talks to the API server through one `ApiClient`. Objects are plain dicts, in and
out. Failures are the exceptions of `control_plane.api.errors` (the server answered) or
`ApiUnavailable` (it did not).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import orjson

from control_plane.api.errors import from_status
from control_plane.api.objects import Object, name_of, namespace_of
from control_plane.api.resources import Resource
from control_plane.client.config import ClientConfig
from control_plane.client.transport import ApiUnavailable, TokenSource, Transport

__all__ = ["ApiClient", "ApiUnavailable"]

PATCH_TYPES: Mapping[str, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}
WATCH_SECONDS = 400  # how long one watch lasts before the server ends it and the caller resumes
WATCH_GRACE_SECONDS = 15.0  # a server that has not ended it by then is taken for dead


class ApiClient:
    """A connection to the API server; use it in an `async with` statement, from one event loop."""

    def __init__(
        self,
        config: ClientConfig,
        *,
        user_agent: str = "tapir",
        token: TokenSource | None = None,
    ) -> None:
        """Prepare a client for `config.server`; nothing is opened yet.

        `token` gives the bearer token of each request, in place of the configuration's.
        """
        self._transport = Transport(config, user_agent, token)

    def use(self, config: ClientConfig) -> None:
        """Show the certificate of `config` on new connections; the server stays the same."""
        self._transport.use(config)

    async def __aenter__(self) -> "ApiClient":
        """Open the connection pools; no request is sent."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        await self._transport.__aexit__(*exc_info)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Any:
        """Send one request and return the decoded JSON answer.

        An answer that is not JSON (the health endpoints, logs) comes back as bytes, an empty one as
        None.
        """
        content = await self._transport.request(
            method, path, params=params, body=body, content_type=content_type
        )
        try:
            return orjson.loads(content) if content else None
        except orjson.JSONDecodeError:
            return content

    async def get(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
    ) -> Object:
        """Read one object as it is now; raises NotFound."""
        return await self._object("GET", resource.path(namespace, name, subresource))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        resource_version: str = "",
    ) -> Object:
        """Read a collection (of one namespace, or of all) as a list object.

        The items carry apiVersion and kind, as single objects do. limit 0 means all in one answer,
        n the first n and a token in `metadata.continue`. resource_version "" is the newest state,
        "0" whatever the server has at hand.
        """
        params = _present(
            labelSelector=label_selector,
            fieldSelector=field_selector,
            limit=str(limit) if limit else "",
            resourceVersion=resource_version,
        )
        answer = await self._object("GET", resource.path(namespace), params=params)
        answer["items"] = answer.get("items") or []
        for item in answer["items"]:
            item.setdefault("apiVersion", resource.api_version)
            item.setdefault("kind", resource.kind)
        return answer

    async def create(
        self,
        resource: Resource,
        obj: Object,
        *,
        subresource: str | None = None,
        name: str | None = None,
    ) -> Object:
        """Create `obj` in its own namespace and return what was stored.

        With a subresource (binding, eviction, token) `name` is the object it belongs to, by
        default `obj`'s own name. Raises AlreadyExists, Invalid, Forbidden…
        """
        target = (name or name_of(obj)) if subresource else None
        path = resource.path(namespace_of(obj) or None, target, subresource)
        return await self._object("POST", path, body=obj)

    async def update(
        self, resource: Resource, obj: Object, *, subresource: str | None = None
    ) -> Object:
        """Replace an object; its resourceVersion, if it has one, must still be the stored one.

        Raises Conflict when it is not, NotFound when the object is gone.
        """
        path = resource.path(namespace_of(obj) or None, name_of(obj), subresource)
        return await self._object("PUT", path, body=obj)

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        kind: str = "merge",
    ) -> Object:
        """Change an object by a patch: kind is "merge", "strategic" or "json" (a list)."""
        path = resource.path(namespace, name, subresource)
        return await self._object("PATCH", path, body=patch, content_type=PATCH_TYPES[kind])

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        options: Object | None = None,
    ) -> Object:
        """Delete an object; options is the body of a DeleteOptions, without kind.

        Returns the object if it is kept for now (grace period, finalizers), else a Status.
        """
        return await self._object("DELETE", resource.path(namespace, name), body=options)

    async def delete_collection(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        options: Object | None = None,
    ) -> Object:
        """Delete every matching object; returns the list of them."""
        params = _present(labelSelector=label_selector, fieldSelector=field_selector)
        return await self._object("DELETE", resource.path(namespace), params=params, body=options)

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        bookmarks: bool = False,
    ) -> AsyncGenerator[Object, None]:
        """Yield {"type", "object"} for each change after `resource_version`.

        The server ends a watch after some minutes, and with it the iteration: resume from the last
        event's resourceVersion.
        BOOKMARK events, which carry only a resourceVersion, come when `bookmarks` is set. An ERROR
        event is raised as the ApiError it stands for: Expired or Gone means list again. A broken
        connection raises ApiUnavailable. Close it (contextlib.aclosing) when leaving early.
        """
        params = _present(
            watch="true",
            resourceVersion=resource_version,
            labelSelector=label_selector,
            fieldSelector=field_selector,
            allowWatchBookmarks="true" if bookmarks else "",
            timeoutSeconds=str(WATCH_SECONDS),
        )
        path = resource.path(namespace)
        limit = WATCH_SECONDS + WATCH_GRACE_SECONDS
        async with self._transport.stream(path, params, limit) as chunks:
            async for line in _lines(chunks):
                event = _event(line, path)
                if event["type"] == "ERROR":
                    raise from_status(event["object"])
                yield event

    async def _object(self, method: str, path: str, **options: Any) -> Object:
        answer = await self.request(method, path, **options)
        if not isinstance(answer, dict):
            raise ApiUnavailable(f"the answer to {method} {path} is not a JSON object")
        return answer


def _event(line: bytes, path: str) -> Object:
    """Decode one line of a watch; what is no event did not come from an API server."""
    try:
        event: Object = orjson.loads(line)
        if isinstance(event["type"], str) and isinstance(event["object"], dict):
            return event
    except (orjson.JSONDecodeError, TypeError, KeyError):
        pass
    shown = line[:80].decode(errors="replace")
    raise ApiUnavailable(f"the watch of {path} sent {shown!r}, which is no event")


def _present(**params: str) -> dict[str, str]:
    """Return the parameters that have a value."""
    return {name: value for name, value in params.items() if value}


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut a byte stream at newlines; lines may be of any length.

    A last part without a newline, which an interrupted connection leaves, is dropped.
    """
    rest = bytearray()
    async for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            rest += chunk[start:end]
            if rest:
                yield bytes(rest)
            rest.clear()
            start = end + 1
        rest += chunk[start:]
