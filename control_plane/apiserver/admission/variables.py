"""The variables of expressions for one write: what is shown, and whom to ask about rights."""

from typing import Any

from control_plane.api.cel.libraries.authorization import (
    Authorizer,
    Decide,
    Question,
    Verdict,
    request_resource,
)
from control_plane.api.objects import Object
from control_plane.api.resources import NAMESPACES, Resource
from control_plane.apiserver.admission.admission_request import admission_request
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.auth import authz
from control_plane.apiserver.auth.rules import Attributes
from control_plane.apiserver.auth.user import User, authenticated
from control_plane.apiserver.storage.collections import Collections


def request_variables(
    review: Review, seen_as: Resource, authorizer: authz.Authorizer
) -> dict[str, Any]:
    """What match conditions may name, with the objects in the version `seen_as`."""
    request = admission_request(review, seen_as, "")
    asking = Authorizer(_decider(review.call.user, authorizer))
    resource, name = review.resource, review.name
    question = Question(
        group=resource.group,
        resource=resource.plural,
        subresource=review.subresource,
        namespace=name if resource is NAMESPACES else review.namespace,
        name=name,
    )
    return {
        "object": request.pop("object"),
        "oldObject": request.pop("oldObject"),
        "request": request,
        "authorizer": asking,
        "authorizer.requestResource": request_resource(asking, question),
    }


def _decider(user: User, authorizer: authz.Authorizer) -> Decide:
    def decide(question: Question) -> Verdict:
        asking = user if question.service_account is None else _account(*question.service_account)
        decision = authorizer.decide(
            asking,
            Attributes(
                question.verb,
                question.path,
                question.group,
                question.resource,
                question.subresource,
                question.namespace,
                question.name,
            ),
        )
        return Verdict(decision.allowed, decision.reason, decision.error)

    return decide


def _account(namespace: str, name: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return authenticated(f"system:serviceaccount:{namespace}:{name}", groups)


async def namespace_of(review: Review, collections: Collections) -> Object | None:
    """The namespace of what is written; None for what is in none, and for namespaces."""
    if not review.namespace or review.resource is NAMESPACES:
        return None
    return await collections.find(NAMESPACES, "", review.namespace)
