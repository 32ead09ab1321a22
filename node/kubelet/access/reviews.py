"""What the API server says of callers: whose a token is, and what somebody may do with this node.

Answers are remembered as long as upstream does, in a bounded number; tokens themselves are not
kept. Failures are not remembered. Source: the delegated authentication and authorization of
kubelet v1.35.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from control_plane.api.errors import ApiError
from control_plane.api.resources import SUBJECTACCESSREVIEWS, TOKENREVIEWS, Resource
from control_plane.client.client import ApiUnavailable
from node.kubelet.access.caller import Caller, of_user_info
from node.kubelet.access.remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.objects import Object
    from control_plane.client.client import ApiClient
    from node.kubelet.config import KubeletConfig

MAX_DECISIONS = 8192
MAX_TOKENS = 4096
MAX_KEY_CHARACTERS = 10_000  # of what is asked about somebody; longer is not remembered
ATTEMPTS = 5
PAUSE_SECONDS = 0.5
FACTOR = 1.5


class ReviewError(Exception):
    """The API server has not answered."""


class Reviews:
    """Asks by `client` about the node of `config`."""

    def __init__(
        self, client: ApiClient, config: KubeletConfig, clock: Callable[[], float]
    ) -> None:
        """`clock` is in seconds, and never goes back."""
        self._client = client
        self._config = config
        self._tokens: Remembered[Caller | None] = Remembered(MAX_TOKENS, clock)
        self._decisions: Remembered[bool] = Remembered(MAX_DECISIONS, clock)

    async def caller_of(self, token: str) -> Caller | None:
        """Whose the token is; None when it is nobody's. Raises ReviewError."""
        key = hashlib.sha256(token.encode()).digest()
        known = self._tokens.get(key)
        if known is not None:
            return known[0]
        status = await self._asked(TOKENREVIEWS, {"token": token})
        caller = of_user_info(status.get("user") or {}) if status.get("authenticated") else None
        self._tokens.put(key, caller, self._config.token_cache_seconds)
        return caller

    async def allows(self, caller: Caller, verb: str, subresource: str) -> bool:
        """Whether the caller may do that with the node's subresource. Raises ReviewError."""
        spec = caller.spec() | {
            "resourceAttributes": {
                "verb": verb,
                "version": "v1",
                "resource": "nodes",
                "subresource": subresource,
                "name": self._config.node_name,
            }
        }
        key = repr(spec)
        known = self._decisions.get(key)
        if known is not None:
            return known[0]
        status = await self._asked(SUBJECTACCESSREVIEWS, spec)
        is_allowed = status.get("allowed") is True
        if len(key) < MAX_KEY_CHARACTERS:
            config = self._config
            seconds = config.allowed_cache_seconds if is_allowed else config.denied_cache_seconds
            self._decisions.put(key, is_allowed, seconds)
        return is_allowed

    async def _asked(self, kind: Resource, spec: Object) -> dict[str, Any]:
        """The status of the review."""
        review = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}, "spec": spec}
        pause = PAUSE_SECONDS
        for attempts_left in range(ATTEMPTS - 1, -1, -1):
            try:
                answer = await self._client.create(kind, review)
                return answer.get("status") or {}
            except (ApiError, ApiUnavailable) as error:
                if not attempts_left or not _may_pass(error):
                    raise ReviewError(str(error)) from error
            await asyncio.sleep(pause)
            pause *= FACTOR
        raise AssertionError


def _may_pass(error: Exception) -> bool:
    """Whether another try may help."""
    return not isinstance(error, ApiError) or error.code >= 500 or error.code == 429
