"""authorization.k8s.io: may somebody do something, and what may I do.

Each asks the server's own authorization. Source: the registries of the access reviews, Kubernetes
v1.35.
"""

from collections.abc import Mapping

from control_plane.api import field_selector
from control_plane.api.errors import BadRequest
from control_plane.api.objects import Object, dig
from control_plane.api.validation.access_reviews import (
    selector_errors,
    validate_local_review,
    validate_review,
    validate_self_review,
)
from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.virtual.creating import answer, check, received


async def review_subject(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST of a SubjectAccessReview."""
    review = await received(services, request, target)
    check(target, review, validate_review)
    return answer(
        request, target, review, _verdict(services, _subject(review["spec"]), review["spec"])
    )


async def review_local(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST of a LocalSubjectAccessReview."""
    review = await received(services, request, target)
    check(target, review, validate_local_review)
    return answer(
        request, target, review, _verdict(services, _subject(review["spec"]), review["spec"])
    )


async def review_self(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST of a SelfSubjectAccessReview."""
    review = await received(services, request, target)
    check(target, review, validate_self_review)
    return answer(request, target, review, _verdict(services, request.user, review["spec"]))


async def review_rules(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST of a SelfSubjectRulesReview."""
    review = await received(services, request, target)
    namespace = dig(review, "spec", "namespace", default="")
    if not namespace:
        raise BadRequest("no namespace on request")
    rules = services.authorizer.rules_of(request.user, namespace)
    status: Object = {
        "resourceRules": [rule.document() for rule in rules.resources],
        "nonResourceRules": [rule.document() for rule in rules.paths],
        "incomplete": rules.incomplete,
    }
    if rules.error:
        status["evaluationError"] = rules.error
    return answer(request, target, review, status)


def _subject(spec: Mapping[str, object]) -> User:
    groups, extra = spec.get("groups"), spec.get("extra")
    return User(
        str(spec.get("user") or ""),
        tuple(groups) if isinstance(groups, list) else (),
        str(spec.get("uid") or ""),
        {key: tuple(values) for key, values in extra.items()} if isinstance(extra, dict) else {},
    )


def _verdict(services: ApiServices, user: User, spec: Object) -> Object:
    asked = spec.get("resourceAttributes")
    decision = services.authorizer.decide(user, attributes_of(spec))
    problems = [decision.error, *selector_errors(asked or {})]
    status = {
        "allowed": decision.allowed,
        "denied": decision.denied,
        "reason": decision.reason,
        "evaluationError": "; ".join(filter(None, problems)),
    }
    return {key: value for key, value in status.items() if value or key == "allowed"}


def attributes_of(spec: Object) -> Attributes:
    """What a review asks about."""
    path = spec.get("nonResourceAttributes")
    if path is not None:
        return Attributes(verb=path.get("verb") or "", path=path.get("path") or "")
    asked = spec["resourceAttributes"]
    fields = ("verb", "group", "resource", "subresource", "namespace", "name")
    texts = {field: asked.get(field) or "" for field in fields}
    return Attributes(**texts, selected=_selected(asked.get("fieldSelector") or {}))


def _selected(selector: Object) -> tuple[tuple[str, str], ...]:
    """The values that a field selector demands; what is not understood demands nothing."""
    try:
        raw = field_selector.parse(selector.get("rawSelector") or "").demanded
    except ValueError:
        raw = ()
    listed = (one for one in selector.get("requirements") or () if one.get("operator") == "In")
    pairs = ((one["key"], one["values"]) for one in listed)
    return (*raw, *((key, values[0]) for key, values in pairs if len(values) == 1))
