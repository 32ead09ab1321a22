"""All kinds of bearer tokens: the first checker that knows one decides, an error lets others try.

A token that was good is remembered for ten seconds. Source: the union of token authenticators of
Kubernetes v1.35.
"""

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Sequence

from control_plane.apiserver.auth.token_check import TokenChecker, TokenError, Verified
from control_plane.apiserver.metrics.access import TokenCacheCounts

REMEMBER_SECONDS = 10.0
MAX_REMEMBERED = 4096

logger = logging.getLogger(__name__)


class TokenChain:
    """Asks `checkers` in their order."""

    def __init__(
        self,
        checkers: Sequence[TokenChecker],
        audiences: tuple[str, ...],
        counts: TokenCacheCounts | None = None,
    ) -> None:
        """`audiences` are the server's own."""
        self.audiences = audiences
        self._counts = counts or TokenCacheCounts()
        self._checkers = tuple(checkers)
        self._remembered: OrderedDict[bytes, tuple[float, Verified]] = OrderedDict()

    async def shown(self, token: str) -> Verified:
        """What a token is that is shown to this server; raises TokenError."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        remembered = self._remembered.get(digest)
        if remembered is not None and time.monotonic() < remembered[0]:
            self._counts.hits += 1
            return remembered[1]
        found = await self._fetched(token)
        self._remembered[digest] = (time.monotonic() + REMEMBER_SECONDS, found)
        self._remembered.move_to_end(digest)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return found

    async def _fetched(self, token: str) -> Verified:
        begun, counts, status = time.perf_counter(), self._counts, "error"
        counts.in_flight += 1
        try:
            found = await self.verified(token, self.audiences)
            status = "ok"
        finally:
            counts.in_flight -= 1
            counts.fetched[status] += 1
            counts.misses.observe(int((time.perf_counter() - begun) * 1000) / 1000)
        return found

    async def verified(self, token: str, audiences: Sequence[str]) -> Verified:
        """Whose a token is, and for which of `audiences`; raises TokenError."""
        reasons = []
        for checker in self._checkers:
            try:
                found = await checker.verified(token, audiences)
            except TokenError as error:
                reasons.append(str(error))
            except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
                    ValueError) as error:  # fmt: skip
                logger.debug("malformed token kind=%s", type(error).__name__)
                reasons.append("malformed token")
            else:
                if found is not None:
                    return found
        raise TokenError(", ".join(dict.fromkeys(reasons)))
