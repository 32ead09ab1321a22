"""Nobody gives what they do not have: writes of roles and bindings by those who lack the rights.

Somebody may write a role whose rules they hold themselves or that they may "escalate", and bind a
role whose rules they hold or that they may "bind". Source: the storages of roles and bindings,
Kubernetes v1.35.
"""

from control_plane.api.errors import NotFound
from control_plane.api.go_syntax import quote
from control_plane.api.objects import Object, name_of
from control_plane.api.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
    Resource,
)
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.rbac.coverage import compact, uncovered
from control_plane.apiserver.auth.rbac.permissions import rules_of
from control_plane.apiserver.auth.rules import ANY, Attributes, PathRule, ResourceRule, Rules
from control_plane.apiserver.auth.user import MASTERS_GROUP, User

_ROLES = (ROLES, CLUSTERROLES)
_BINDINGS = (ROLEBINDINGS, CLUSTERROLEBINDINGS)
_EVERYTHING = Rules((ResourceRule((ANY,), (ANY,), (ANY,)),), (PathRule((ANY,), (ANY,)),))
_CLEANING = ("finalizers", "managedFields", "ownerReferences", "resourceVersion")


class RoleEscalation(Plugin):
    """Refuses with what is missing."""

    concerns = (*_ROLES, *_BINDINGS)

    async def finish(self, review: Review) -> None:
        """Look at the object as it is when nobody changes it any more."""
        user, resource = review.call.user, review.resource
        if resource not in (*_ROLES, *_BINDINGS) or review.operation is Operation.DELETE:
            return
        if MASTERS_GROUP in user.groups:
            return
        if review.old is not None and _only_cleans_up(review.obj, review.old):
            return
        if resource in _ROLES:
            self._check_role(review)
        else:
            await self._check_binding(review)

    def _check_role(self, review: Review) -> None:
        user, obj = review.call.user, review.obj
        named = name_of(obj) if review.operation is Operation.UPDATE else ""
        if self._may(user, "escalate", review.resource, review.namespace, named):
            return
        self._confirm(review, rules_of(obj.get("rules")))
        aggregates = (one.get("aggregationRule") for one in (obj, review.old or {}))
        if any(aggregates) and self._missing(user, _EVERYTHING, ""):
            raise review.forbidden("must have cluster-admin privileges to use the aggregationRule")

    async def _check_binding(self, review: Review) -> None:
        reference = review.obj.get("roleRef") or {}
        role = ROLES if reference.get("kind") == "Role" else CLUSTERROLES
        name = reference.get("name") or ""
        if not name or self._may(review.call.user, "bind", role, review.namespace, name):
            return  # validation refuses a binding without a role
        namespace = review.namespace if role.namespaced else ""
        found = await self.collections.live(role, namespace, name)
        if found is None:
            raise NotFound.of(role, name)
        self._confirm(review, rules_of(found.get("rules")))

    def _confirm(self, review: Review, wanted: Rules) -> None:
        missing = self._missing(review.call.user, wanted, review.namespace)
        if missing:
            raise review.forbidden(missing)

    def _missing(self, user: User, wanted: Rules, namespace: str) -> str:
        """What a user who does not hold the rules is told; "" for one who does."""
        rbac = self.authorizer.rbac
        lacking = uncovered(
            wanted, lambda asked: rbac.decide(user, asked._replace(namespace=namespace)).allowed
        )
        if not lacking:
            return ""
        groups = " ".join(quote(group) for group in user.groups)
        shown = "\n".join(sorted({str(permission) for permission in compact(lacking)}))
        problems = rbac.rules_of(user, namespace).error
        return (
            f"user {quote(user.name)} (groups=[{groups}]) is attempting to grant RBAC permissions "
            f"not currently held:\n{shown}"
            + (f"; resolution errors: [{problems.strip('[]')}]" if problems else "")
        )

    def _may(self, user: User, verb: str, role: Resource, namespace: str, name: str) -> bool:
        asked = Attributes(
            verb, group=role.group, resource=role.plural, namespace=namespace, name=name
        )
        return self.authorizer.decide(user, asked).allowed


def _only_cleans_up(new: Object, old: Object) -> bool:
    """Whether a change is what the garbage collector needs to have an object go."""
    return _without_cleaning(new) == _without_cleaning(old)


def _without_cleaning(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _CLEANING}
    return {**obj, "metadata": metadata}
