"""Authorization: each row of GRANTS may allow, then the roles; when none does, the answer is 403.

For now the nodes and the controllers may do everything, whatever the roles say. Health and version
are for anybody even before the roles have been read. Source of the texts: Kubernetes v1.35.
"""

from collections.abc import Callable

from control_plane.api.errors import Forbidden, Unauthorized
from control_plane.apiserver.auth.decision import ALLOWED, Decision
from control_plane.apiserver.auth.rbac.authorizer import RbacAuthorizer
from control_plane.apiserver.auth.rules import ANY, Attributes, PathRule, ResourceRule, Rules
from control_plane.apiserver.auth.user import AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP, User

__all__ = ["Attributes", "Authorizer", "Decision"]

_COMPONENTS = frozenset(
    {
        "system:kube-controller-manager",
        "kube-apiserver-kubelet-client",
    }
)
_READING = ("get", "head")
_EVERYTHING = Rules((ResourceRule((ANY,), (ANY,), (ANY,)),), (PathRule((ANY,), (ANY,)),))
_PUBLIC = Rules(
    paths=(PathRule(_READING, ("/healthz", "/livez", "/readyz", "/version", "/version/")),)
)


def _is_privileged(user: User) -> bool:
    groups = user.groups
    return "system:masters" in groups or "system:nodes" in groups or user.name in _COMPONENTS


def _is_authenticated(user: User) -> bool:
    return AUTHENTICATED_GROUP in user.groups


def _is_anybody(user: User) -> bool:
    return _is_authenticated(user) or UNAUTHENTICATED_GROUP in user.groups


# whom it is about, and what they may do in every namespace
GRANTS: tuple[tuple[Callable[[User], bool], Rules], ...] = (
    (_is_privileged, _EVERYTHING),
    (_is_anybody, _PUBLIC),
)


class Authorizer:
    """GRANTS, then the roles of the cluster."""

    def __init__(self, rbac: RbacAuthorizer) -> None:
        """`rbac` decides by roles."""
        self.rbac = rbac

    def decide(self, user: User, attributes: Attributes) -> Decision:
        """Say whether `user` may."""
        for is_about, rules in GRANTS:
            if is_about(user) and rules.allow(attributes):
                return ALLOWED
        return self.rbac.decide(user, attributes)

    def rules_of(self, user: User, namespace: str) -> Rules:
        """Return all that `user` may do in a namespace and at the scope of the cluster."""
        granted = [rules for is_about, rules in GRANTS if is_about(user)]
        roles = self.rbac.rules_of(user, namespace)
        granted.append(roles)
        return Rules(
            tuple(rule for rules in granted for rule in rules.resources),
            tuple(rule for rules in granted for rule in rules.paths),
            roles.incomplete,
            roles.error,
        )

    def authorize(self, user: User, attributes: Attributes) -> None:
        """Return if `user` may; raise Unauthorized for nobody in particular, else Forbidden."""
        decision = self.decide(user, attributes)
        if decision.allowed:
            return
        if user.is_anonymous:
            raise Unauthorized("Unauthorized")
        raise _forbidden(user, attributes, decision.reason)


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


def _forbidden(user: User, attributes: Attributes, reason: str) -> Forbidden:
    why = denial(user, attributes)
    if reason:
        why = f"{why}: {reason}"
    if not attributes.resource:
        return Forbidden.of(None, "", why)
    return Forbidden.of(_Named(attributes), attributes.name, why)
