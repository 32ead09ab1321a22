"""Renews certificates before they end: at 70 to 90 % of their life, each node at its own moment.

Source of the share and of the back-off: client-go's certificate manager, v1.35.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import random
from typing import TYPE_CHECKING

from control_plane.api.errors import ApiError
from node.kubelet.certificates.signing_request import (
    NotIssuedError,
    Wanted,
    issued,
    key_pem,
    new_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509

    from control_plane.client.client import ApiClient
    from node.kubelet.certificates.certificate_store import CertificateStore

EARLIEST, SPREAD = 0.7, 0.2
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 2.0, 128.0
DECISION_SECONDS = 900.0  # then it is asked for anew: the first request may have been deleted

log = logging.getLogger(__name__)


def due(certificate: x509.Certificate | None, chance: float) -> datetime.datetime:
    """Return when to renew; `chance` from 0 to 1 chooses within the span. None is due at once."""
    if certificate is None:
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begin + (end - begin) * (EARLIEST + SPREAD * chance)


class Renewal:
    """Keeps one certificate of `store` good; `renewed` is called after each change."""

    def __init__(
        self,
        client: ApiClient,
        wanted: Wanted,
        store: CertificateStore,
        renewed: Callable[[], None],
    ) -> None:
        """Ask for `wanted` with `client`."""
        self._client = client
        self._wanted = wanted
        self._store = store
        self._renewed = renewed

    async def run(self) -> None:
        """Wait and renew until cancelled."""
        while True:
            now = datetime.datetime.now(datetime.UTC)
            moment = due(self._store.certificate(), random.random())
            if moment > now:
                await asyncio.sleep((moment - now).total_seconds())
            await self._renew()

    async def _renew(self) -> None:
        """Ask until there is a new one."""
        wait = FIRST_RETRY_SECONDS
        while True:
            key = new_key()
            try:
                async with asyncio.timeout(DECISION_SECONDS):
                    certificate = await issued(self._client, self._wanted, key)
                now = datetime.datetime.now(datetime.UTC)
                self._store.replace(certificate, key_pem(key), now)
                self._renewed()
            except (ApiError, NotIssuedError, OSError) as error:
                log.warning("certificate not renewed signer=%s: %s", self._wanted.signer, error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LAST_RETRY_SECONDS)
            else:
                log.info("certificate renewed signer=%s", self._wanted.signer)
                return
