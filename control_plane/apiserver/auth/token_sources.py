"""The kinds of bearer tokens that are configured, put together in upstream's order.

The AuthenticationConfiguration is looked at again every few seconds; one that cannot be used leaves
things as they are. Source: the authenticator configuration of kube-apiserver v1.35.
"""

import asyncio
import datetime
import logging
from collections.abc import Awaitable, Callable, Iterator

from control_plane.api.objects import Object
from control_plane.apiserver.auth.authentication_file import AuthenticationFile
from control_plane.apiserver.auth.bootstrap_tokens import BootstrapTokens
from control_plane.apiserver.auth.config import AuthConfig
from control_plane.apiserver.auth.oidc_tokens import OidcTokens
from control_plane.apiserver.auth.static_tokens import StaticTokens, read_tokens
from control_plane.apiserver.auth.token_chain import TokenChain
from control_plane.apiserver.auth.token_check import TokenChecker
from control_plane.apiserver.auth.tokens import TokenAuthenticator
from control_plane.apiserver.auth.webhook_tokens import WebhookTokens
from control_plane.apiserver.config_error import ConfigError
from control_plane.apiserver.metrics.access import TokenCacheCounts
from control_plane.client.config import ClientConfig
from control_plane.client.config import ConfigError as KubeconfigError

LOOK_SECONDS = 10.0

logger = logging.getLogger(__name__)


class TokenSources:
    """`chain` checks tokens, `anonymous` says whether requests without credentials are somebody."""

    def __init__(
        self,
        config: AuthConfig,
        accounts: TokenAuthenticator,
        issuer: str,
        lookup: Callable[[str, str, str], Awaitable[Object | None]],
        clock: Callable[[], datetime.datetime],
        counts: TokenCacheCounts,
    ) -> None:
        """`issuer` is the server's own; raises ConfigError for what cannot be used."""
        self._counts = counts
        self._config = config
        self._issuer = issuer
        self._accounts = accounts
        self._bootstrap = BootstrapTokens(lookup, accounts.audiences, clock)
        self._before = tuple(self._fixed())
        self._webhook = tuple(self._webhooks())
        self._file = config.authentication(issuer)
        self._use(self._file)

    async def run(self) -> None:
        """Follow the file until cancelled."""
        while self._config.file is not None:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                found = await asyncio.to_thread(self._config.authentication, self._issuer)
                if found != self._file:
                    self._use(found)
                    self._file = found
                    logger.info("authentication configuration read again")
            except ConfigError as error:
                logger.error("authentication configuration not used: %s", error)

    def _use(self, file: AuthenticationFile) -> None:
        audiences = self._accounts.audiences
        issuers = [OidcTokens(issuer, audiences) for issuer in file.issuers]
        self.chain = TokenChain((*self._before, *issuers, *self._webhook), audiences, self._counts)
        self.anonymous = file.anonymous or self._config.anonymous

    def _fixed(self) -> Iterator[TokenChecker]:
        config = self._config
        if config.token_file is not None:
            yield StaticTokens(read_tokens(config.token_file), self._accounts.audiences)
        yield self._accounts
        if config.bootstrap_tokens:
            yield self._bootstrap

    def _webhooks(self) -> Iterator[TokenChecker]:
        config = self._config
        if config.webhook is None:
            return
        try:
            client = ClientConfig.from_kubeconfig(config.webhook)
            yield WebhookTokens(
                client,
                config.webhook_version,
                config.webhook_cache_seconds,
                self._accounts.audiences,
            )
        except KubeconfigError as error:
            raise ConfigError(f"--authentication-token-webhook-config-file: {error}") from error
