"""The middleware before all handlers: 401 for nobody, 403 for who may not.

Source: the authentication and authorization filter of kubelet v1.35.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from node.kubelet.access.attributes import asked
from node.kubelet.access.caller import ANONYMOUS, Caller, of_certificate
from node.kubelet.access.reviews import ReviewError, Reviews

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

    from node.kubelet.config import KubeletConfig

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


def gate(reviews: Reviews, config: KubeletConfig, clock: Callable[[], float]) -> Middleware:
    """Let those through whom `reviews` allow; `clock` is in seconds since 1970."""

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            caller = await _caller(request, reviews, config, clock())
        except ReviewError as error:
            log.error("caller_unknown error=%s", error)
            caller = None
        if caller is None:
            return web.Response(status=401, text="Unauthorized")
        refusal = await _refusal(request, caller, reviews)
        return await handler(request) if refusal is None else refusal

    return enter


async def _caller(
    request: web.Request, reviews: Reviews, config: KubeletConfig, now: float
) -> Caller | None:
    """Who asks; None for credentials that are wrong, or missing where somebody is needed."""
    tls = request.transport.get_extra_info("ssl_object") if request.transport else None
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    if tls is not None and der:
        found = of_certificate(tls.getpeercert() or {}, der, now)
        if found is not None:
            return found
    token = _bearer_token(request)
    if token:
        return await reviews.caller_of(token) if config.authentication_token_webhook else None
    return ANONYMOUS if config.anonymous_auth and not der else None


def _bearer_token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _refusal(request: web.Request, caller: Caller, reviews: Reviews) -> web.Response | None:
    wanted = asked(request.method, request.path)
    who = f"user={caller.name}, verb={wanted.verb}, resource=nodes"
    for subresource in wanted.subresources:
        try:
            if await reviews.allows(caller, wanted.verb, subresource):
                return None
        except ReviewError as error:
            log.error("caller_not_authorized %s subresource=%s error=%s", who, subresource, error)
            text = f"Authorization error ({who}, subresource={subresource})"
            return web.Response(status=500, text=text)
    names = " ".join(wanted.subresources)
    return web.Response(status=403, text=f"Forbidden ({who}, subresource(s)=[{names}])")
