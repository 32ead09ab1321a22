"""Authorization: each authorizer in turn may allow or deny; when none does, the answer is 403.

Members of system:masters may do everything. Until the cluster's roles have been read, anybody may
ask for health and version, so that a server whose store is away is not taken for dead. Source of
the texts: Kubernetes v1.35.
"""

from collections.abc import Sequence
from typing import Protocol

from control_plane.api.errors import Forbidden
from control_plane.apiserver.auth.decision import ALLOWED, Decision
from control_plane.apiserver.auth.rbac.authorizer import RbacAuthorizer, aggregate
from control_plane.apiserver.auth.rules import Attributes, PathRule, Rules
from control_plane.apiserver.auth.user import MASTERS_GROUP, User

__all__ = ["Attributes", "Authorizer", "Decision"]

_PUBLIC = Rules(
    paths=(PathRule(("get", "head"), ("/healthz", "/livez", "/readyz", "/version", "/version/")),)
)


class Mode(Protocol):
    """One of the ways to decide."""

    def decide(self, user: User, asked: Attributes, /) -> Decision:
        """Say whether `user` may."""

    def rules_of(self, user: User, namespace: str, /) -> Rules:
        """All that `user` may do in a namespace and at the scope of the cluster."""


class Authorizer:
    """The cluster's ways to decide, in their order."""

    def __init__(self, rbac: RbacAuthorizer, modes: Sequence[Mode] = ()) -> None:
        """`rbac` says who holds which rules; it alone decides without `modes`."""
        self.rbac = rbac
        self._modes = tuple(modes) or (rbac,)

    def decide(self, user: User, attributes: Attributes) -> Decision:
        """Say whether `user` may."""
        if MASTERS_GROUP in user.groups:
            return ALLOWED
        reasons = []
        for mode in self._modes:
            decision = mode.decide(user, attributes)
            if decision.allowed or decision.denied:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        if not self.rbac.knows_roles and _PUBLIC.allow(attributes):
            return ALLOWED
        return Decision(allowed=False, reason="\n".join(reasons))

    def rules_of(self, user: User, namespace: str) -> Rules:
        """Return all that `user` may do in a namespace and at the scope of the cluster."""
        found = [mode.rules_of(user, namespace) for mode in self._modes]
        return Rules(
            tuple(rule for rules in found for rule in rules.resources),
            tuple(rule for rules in found for rule in rules.paths),
            any(rules.incomplete for rules in found),
            aggregate(rules.error for rules in found if rules.error),
        )

    def authorize(self, user: User, attributes: Attributes) -> None:
        """Return if `user` may; raise Forbidden if not."""
        decision = self.decide(user, attributes)
        if not decision.allowed:
            raise refused(user, attributes, decision.reason)


def denial(user: User, attributes: Attributes) -> str:
    """The text of the 403, without what stands before "is forbidden:"."""
    if not attributes.resource:
        return f'User "{user.name}" cannot {attributes.verb} path "{attributes.path}"'
    place = (
        f'in the namespace "{attributes.namespace}"'
        if attributes.namespace
        else "at the cluster scope"
    )
    return (
        f'User "{user.name}" cannot {attributes.verb} resource "{attributes.full_resource}" '
        f'in API group "{attributes.group}" {place}'
    )


class _Named:
    """What a Forbidden error needs to know of a resource."""

    def __init__(self, attributes: Attributes) -> None:
        self.group = attributes.group
        self.plural = attributes.resource


def refused(user: User, attributes: Attributes, reason: str) -> Forbidden:
    """The 403 for what `user` may not."""
    why = denial(user, attributes)
    if reason:
        why = f"{why}: {reason}"
    if not attributes.resource:
        return Forbidden.of(None, "", why)
    return Forbidden.of(_Named(attributes), attributes.name, why)
