"""The token of a service account: asked for when it is needed, and again well before its end.

The account is made if there is none. Source: the dynamic client builder of kube-controller-manager
v1.35.
"""

import asyncio

from control_plane.api.errors import AlreadyExists, NotFound
from control_plane.api.resources import SERVICEACCOUNTS
from control_plane.api.timestamps import parse
from control_plane.client.client import ApiClient
from control_plane.client.clock import LOOP_CLOCK, Clock

EXPIRATION_SECONDS = 3600
USED_PART = 0.8  # of a token's life


class AccountToken:
    """Tokens of one account; `client` is of somebody who may ask for them."""

    def __init__(
        self, client: ApiClient, namespace: str, name: str, *, clock: Clock = LOOP_CLOCK
    ) -> None:
        """Nothing is asked for yet."""
        self._client = client
        self._namespace = namespace
        self._name = name
        self._clock = clock
        self._token, self._renew_at = "", 0.0
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        """A token that is good for some time; raises what the client raises."""
        async with self._asking:
            now = self._clock.now().timestamp()
            if not self._token or now >= self._renew_at:
                self._token, end = await self._ask()
                self._renew_at = now + (end - now) * USED_PART
            return self._token

    def forget(self, token: str) -> None:
        """Do not use `token` again: the server does not believe it."""
        if token == self._token:
            self._token = ""

    async def _ask(self) -> tuple[str, float]:
        """A new token, and its end in seconds since 1970."""
        try:
            return await self._request()
        except NotFound:
            await self._make_account()
            return await self._request()

    async def _request(self) -> tuple[str, float]:
        answer = await self._client.create(
            SERVICEACCOUNTS,
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": {"expirationSeconds": EXPIRATION_SECONDS},
            },
            subresource="token",
            name=self._name,
        )
        status = answer["status"]
        return str(status["token"]), parse(status["expirationTimestamp"]).timestamp()

    async def _make_account(self) -> None:
        account = {"metadata": {"name": self._name, "namespace": self._namespace}}
        try:
            await self._client.create(SERVICEACCOUNTS, account)
        except AlreadyExists:
            return
