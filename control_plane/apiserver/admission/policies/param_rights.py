"""Who may make a policy look at params: only who may read these objects themselves.

Source: the strategies of validating admission policies and their bindings, v1.35.
"""

from control_plane.api.errors import ErrorType, FieldError, Invalid
from control_plane.api.objects import Object
from control_plane.api.resources import (
    OFF_BY_DEFAULT,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    Resource,
)
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.rules import ANY, Attributes
from control_plane.apiserver.auth.user import MASTERS_GROUP, User
from control_plane.apiserver.storage.collections import Collections

_POLICIES = "validatingadmissionpolicies", "mutatingadmissionpolicies"
_ROWS = (VALIDATINGADMISSIONPOLICIES, VALIDATINGADMISSIONPOLICYBINDINGS, *OFF_BY_DEFAULT)
_WRITES = (Operation.CREATE, Operation.UPDATE)


class ParamRights(Plugin):
    """Refuses references to objects that their writer may not get."""

    async def check(self, review: Review) -> None:
        """Look at the references that are new."""
        user = review.call.user
        if review.operation not in _WRITES or review.subresource or MASTERS_GROUP in user.groups:
            return
        if review.resource not in _ROWS:
            return
        if review.resource.plural in _POLICIES:
            self._check_policy(review)
        else:
            await self._check_binding(review)

    def _check_policy(self, review: Review) -> None:
        kind = _new(review, "paramKind")
        if kind is None or self._may_get(review.call.user, kind, ANY, ANY):
            return
        shown = (kind.get("kind") or "", kind.get("apiVersion") or "")
        raise _refusal(
            review,
            "spec.paramKind",
            f'user {_shown(review.call.user)} must have "get" permission on all objects of the '
            f"referenced paramKind (kind={shown[0]}, apiVersion={shown[1]})",
        )

    async def _check_binding(self, review: Review) -> None:
        reference = _new(review, "paramRef")
        if reference is None:
            return
        name = (review.obj.get("spec") or {}).get("policyName") or ""
        row = _policies_of(review.resource, self.collections)
        policy = await self.collections.find(row, "", name) or {}
        kind = (policy.get("spec") or {}).get("paramKind") or {}
        place = (reference.get("namespace") or ANY, reference.get("name") or ANY)
        if not self._may_get(review.call.user, kind, *place):
            raise _refusal(
                review,
                "spec.paramRef",
                f'user {_shown(review.call.user)} does not have "get" permission on the object '
                "referenced by paramRef",
            )

    def _may_get(self, user: User, kind: Object, namespace: str, name: str) -> bool:
        resources = self.collections.resources
        found = resources.of_kind(kind.get("apiVersion") or "", kind.get("kind") or "")
        group, plural = (found.group, found.plural) if found is not None else (ANY, ANY)
        place = namespace if found is None or found.namespaced else ""
        asked = Attributes("get", group=group, resource=plural, namespace=place, name=name)
        return self.authorizer.decide(user, asked).allowed


def _policies_of(bindings: Resource, collections: Collections) -> Resource:
    """The row of the policies that bindings of this row name."""
    plural = "mutatingadmissionpolicies"
    if bindings is VALIDATINGADMISSIONPOLICYBINDINGS:
        return VALIDATINGADMISSIONPOLICIES
    found = collections.resources.named(bindings.group, bindings.version, plural)
    assert found is not None  # the two are served together
    return found


def _new(review: Review, field: str) -> Object | None:
    """A part of the spec, unless it is the stored one."""
    new, old = ((obj.get("spec") or {}).get(field) for obj in (review.obj, review.old or {}))
    return None if new == old else new


def _shown(user: User) -> str:
    """The user as upstream prints its structure."""
    extra = " ".join(f"{key}:[{' '.join(values)}]" for key, values in sorted(user.extra.items()))
    return f"&{{{user.name} {user.uid} [{' '.join(user.groups)}] map[{extra}]}}"


def _refusal(review: Review, field: str, detail: str) -> Invalid:
    error = FieldError(ErrorType.FORBIDDEN, field, detail)
    return Invalid.of(review.resource, review.name, [error])
