"""The documents of the servers behind aggregated group versions, fetched when they are asked for.

What was fetched is good for FRESH_SECONDS, and OpenAPI v2 for V2_FRESH_SECONDS. A server that does
not answer is shown as it was, stale.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import orjson

from control_plane.api.discovery import AGGREGATED_MEDIA_TYPE
from control_plane.api.objects import Object
from control_plane.api.openapi.joined_v2 import OtherV2
from control_plane.apiserver.aggregation.availability import CHECKER
from control_plane.apiserver.aggregation.identity import with_identity
from control_plane.apiserver.aggregation.merging import discovered, from_resource_list
from control_plane.apiserver.aggregation.remote import Remote, RemoteApis
from control_plane.apiserver.aggregation.session import RemoteSession

FRESH_SECONDS = 5.0
V2_FRESH_SECONDS = 60.0  # one large document of everything
CALL_SECONDS = 5.0
MAX_BYTES = 16 * 1024 * 1024
_ACCEPT = f"{AGGREGATED_MEDIA_TYPE},application/json"

logger = logging.getLogger(__name__)


class RemoteDocuments:
    """Discovery and the index of OpenAPI of every remote group version."""

    def __init__(self, remotes: RemoteApis, session: RemoteSession) -> None:
        """Nothing has been fetched yet."""
        self.remotes = remotes
        self._session = session
        self._kept: dict[tuple[str, str], tuple[float, Object | None]] = {}

    async def discovery(self) -> dict[Remote, Object]:
        """What each serves."""
        found = await self._all("discovery", self._discovery)
        return {remote: document or _unknown(remote) for remote, document in found.items()}

    async def openapi_paths(self) -> dict[str, Object]:
        """The entries of the index of /openapi/v3 for those who have one."""
        found = await self._all("openapi", self._openapi_entry)
        return {remote.path.removeprefix("/"): entry for remote, entry in found.items() if entry}

    async def openapi_v2(self) -> list[OtherV2]:
        """The documents of those who have one, the group versions that matter most first."""
        found = await self._all("openapi-v2", self._openapi_v2, V2_FRESH_SECONDS)
        ordered = sorted(
            found, key=lambda one: (-one.group_priority, -one.version_priority, one.name)
        )
        documents = ((remote, found[remote]) for remote in ordered)
        return [
            OtherV2(remote.path, document["document"], document["tag"])
            for remote, document in documents
            if document is not None
        ]

    async def _all(
        self,
        what: str,
        fetch: Callable[[Remote], Awaitable[Object | None]],
        seconds: float = FRESH_SECONDS,
    ) -> dict[Remote, Object | None]:
        remotes = list(self.remotes.by_path.values())
        names = {remote.name for remote in remotes}
        self._kept = {key: kept for key, kept in self._kept.items() if key[1] in names}
        documents = await asyncio.gather(
            *(self._fresh(what, one, fetch, seconds) for one in remotes)
        )
        return dict(zip(remotes, documents, strict=True))

    async def _fresh(
        self,
        what: str,
        remote: Remote,
        fetch: Callable[[Remote], Awaitable[Object | None]],
        seconds: float,
    ) -> Object | None:
        now = asyncio.get_running_loop().time()
        until, known = self._kept.get((what, remote.name), (0.0, None))
        if now < until:
            return known
        try:
            document = await fetch(remote) if remote.is_available else None
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            logger.info("no document of api service name=%s: %r", remote.name, error)
            document = None
        if document is None and known is not None and what == "discovery":
            document = {**known, "freshness": "Stale"}
        if document is None:
            seconds = FRESH_SECONDS
        self._kept[what, remote.name] = (now + seconds * remote.is_available, document)
        return document

    async def _discovery(self, remote: Remote) -> Object | None:
        found = discovered(remote, await self._get(remote, "/apis"))
        return found or from_resource_list(remote, await self._get(remote, remote.path))

    async def _openapi_entry(self, remote: Remote) -> Object | None:
        index = await self._get(remote, "/openapi/v3")
        paths = index.get("paths") if isinstance(index, dict) else None
        entry = paths.get(remote.path.removeprefix("/")) if isinstance(paths, dict) else None
        return entry if isinstance(entry, dict) else None

    async def _openapi_v2(self, remote: Remote) -> Object | None:
        body = await self._body(remote, "/openapi/v2")
        if body is None:
            return None
        document = await asyncio.to_thread(orjson.loads, body)
        tag = hashlib.sha256(body).hexdigest()
        return {"document": document, "tag": tag} if isinstance(document, dict) else None

    async def _get(self, remote: Remote, path: str) -> object:
        """The JSON at a path; None for an answer other than 200. Raises what calls raise."""
        body = await self._body(remote, path)
        return orjson.loads(body) if body is not None else None

    async def _body(self, remote: Remote, path: str) -> bytes | None:
        url = f"https://{remote.host}:{remote.port}{path}"
        lines = with_identity([(b"accept", _ACCEPT.encode())], CHECKER)
        headers = [(name.decode(), value.decode()) for name, value in lines]
        async with asyncio.timeout(CALL_SECONDS):
            async with self._session.opened().get(
                url, headers=headers, ssl=remote.tls, allow_redirects=False
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise ValueError(f"the document has more than {MAX_BYTES} bytes")
                return bytes(body) if response.status == 200 else None


def _unknown(remote: Remote) -> Object:
    return {"version": remote.version, "freshness": "Stale"}
