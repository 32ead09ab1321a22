"""authentication.k8s.io: who is asking, and whose a token is.

Source: the registries of TokenReview and SelfSubjectReview, Kubernetes v1.35.
"""

from collections.abc import Sequence

from control_plane.api.errors import BadRequest
from control_plane.api.objects import Object
from control_plane.apiserver.auth.token_check import TokenError
from control_plane.apiserver.auth.user import user_info
from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.virtual.creating import answer, received

_INVALID = "invalid bearer token"


async def review_self(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST of a SelfSubjectReview."""
    review = await received(services, request, target)
    return answer(request, target, review, {"userInfo": user_info(request.user)})


async def review_token(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST of a TokenReview."""
    review = await received(services, request, target)
    spec = review.setdefault("spec", {})
    if not spec.get("token"):
        raise BadRequest("token is required for TokenReview in authentication")
    audiences = spec.get("audiences") or services.tokens.chain.audiences
    return answer(request, target, review, await _verdict(services, spec["token"], audiences))


async def _verdict(services: ApiServices, token: str, audiences: Sequence[str]) -> Object:
    try:
        found = await services.tokens.chain.verified(token, audiences)
    except TokenError as error:
        why = str(error)
        return {"user": {}, "error": f"[{_INVALID}, {why}]" if why else _INVALID}
    return {
        "authenticated": True,
        "user": user_info(found.user),
        "audiences": list(found.audiences),
    }
