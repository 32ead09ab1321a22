"""Reads the ConfigMaps, Secrets and tokens that pods refer to.

Called by volumes/, container_config.py and images.py through the ObjectReader protocol. Objects
are kept for a few seconds, so that pods which start together share one request; tokens until 80 %
of their life (at most 24 h) is over.

Bound: 1024 objects and 1024 tokens, the oldest go first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.resources import CONFIGMAPS, SECRETS, SERVICEACCOUNTS
from node.kubelet.volumes.base import VolumeFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.objects import Object
    from control_plane.client.client import ApiClient

_RESOURCES = {"configmap": CONFIGMAPS, "secret": SECRETS}
_FRESH_SECONDS = 2.0
_ENTRIES = 1024
_TOKEN_LIFE_USED = 0.8
_TOKEN_MAX_AGE_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    refresh_at: float
    expires_at: float


class ApiObjectReader:
    """The reader over an API client; `clock` returns seconds."""

    def __init__(self, client: ApiClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._objects: OrderedDict[tuple[str, str, str], tuple[float, Object | None]]
        self._objects = OrderedDict()
        self._tokens: OrderedDict[tuple[str, str, int], _Token] = OrderedDict()

    async def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return a configmap or secret as it was at most 2 s ago; None when there is none."""
        key = (kind, namespace, name)
        known = self._objects.get(key)
        if known is not None and self._clock() - known[0] < _FRESH_SECONDS:
            return known[1]
        try:
            found: Object | None = await self._client.get(_RESOURCES[kind], name, namespace)
        except NotFound:
            found = None
        except ApiError as error:
            raise VolumeFailure(f"failed to get {kind} {namespace}/{name}: {error}") from error
        self._objects[key] = (self._clock(), found)
        self._objects.move_to_end(key)
        _trim(self._objects)
        return found

    async def token(self, pod: Object, audience: str, seconds: int) -> str:
        """Return a token of the pod's service account, bound to the pod."""
        key = (str(pod["metadata"]["uid"]), audience, seconds)
        known, now = self._tokens.get(key), self._clock()
        if known is not None and now < known.refresh_at:
            return known.text
        try:
            text = await self._request_token(pod, audience, seconds)
        except (ApiError, OSError) as error:
            if known is not None and now < known.expires_at:
                return known.text
            raise VolumeFailure(f"failed to fetch token: {error}") from error
        used = min(seconds * _TOKEN_LIFE_USED, _TOKEN_MAX_AGE_SECONDS)
        self._tokens[key] = _Token(text, now + used, now + seconds)
        _trim(self._tokens)
        return text

    def forget(self, uid: str) -> None:
        """Drop the tokens of a pod that is gone."""
        for key in [key for key in self._tokens if key[0] == uid]:
            del self._tokens[key]

    async def _request_token(self, pod: Object, audience: str, seconds: int) -> str:
        meta = pod["metadata"]
        account = pod["spec"].get("serviceAccountName") or "default"
        reference = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": meta["name"],
            "uid": meta["uid"],
        }
        request: Object = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"name": account, "namespace": meta.get("namespace", "")},
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": seconds,
                "boundObjectRef": reference,
            },
        }
        answer = await self._client.create(
            SERVICEACCOUNTS, request, subresource="token", name=account
        )
        return str(answer["status"]["token"])


def _trim(
    entries: OrderedDict[tuple[str, str, int], _Token]
    | OrderedDict[tuple[str, str, str], tuple[float, Object | None]],
) -> None:
    while len(entries) > _ENTRIES:
        entries.popitem(last=False)
