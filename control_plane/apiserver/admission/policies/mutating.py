"""MutatingAdmissionPolicy: changes what is written as the cluster's policies say.

Policies come in the order of their names, each with its bindings and their params, every one on
what those before have made of the object. When something has changed it, those that ask for it are
evaluated once more, after the plugins of this server. Source: the dispatcher of mutating admission
policies, v1.35.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from control_plane.api.apply.endpoint import endpoint_of
from control_plane.api.apply.shapes import MapShape, shape_for
from control_plane.api.errors import ApiError, InternalError
from control_plane.api.objects import Object, deep_copy
from control_plane.api.policies.conditions import ConditionsFailed
from control_plane.api.policies.mutating import MutatingPolicy, Mutation, compiled_mutating
from control_plane.api.policies.mutation import MutationError, mutated
from control_plane.api.resources import (
    MUTATINGADMISSIONPOLICIES,
    MUTATINGADMISSIONPOLICYBINDINGS,
    OFF_BY_DEFAULT,
    Resource,
)
from control_plane.apiserver.admission.admission_request import converted, shown
from control_plane.apiserver.admission.matching import is_configuring
from control_plane.apiserver.admission.policies.params import Misconfigured, params_for
from control_plane.apiserver.admission.policies.registered import Binding, Definition, Registered
from control_plane.apiserver.admission.retyping import retyped
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.admission.variables import namespace_of, request_variables
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections

Key = tuple[str, str, str, str]
"""A policy, a binding, and the namespace and name of params."""


class _Invocation(NamedTuple):
    """A policy that is to be evaluated with one of its bindings and one set of params."""

    policy: MutatingPolicy
    binding: str
    params: Object | None
    seen_as: Resource

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        metadata = (self.params or {}).get("metadata") or {}
        place = metadata.get("namespace") or "", metadata.get("name") or ""
        return (self.policy.name, self.binding, *place)


class _Failure(NamedTuple):
    policy: MutatingPolicy
    binding: str
    message: str
    reason: str = ""

    def __str__(self) -> str:
        by = f"policy '{self.policy.name}' with binding '{self.binding}'"
        shown_by = by if self.binding else f'policy "{self.policy.name}"'
        return f"{shown_by} denied request: {self.message}"


class MutatingPolicies:
    """All mutating policies of the cluster."""

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the policies, if they are served in any version."""
        self.collections, self.authorizer = collections, authorizer
        kept = [row for row in OFF_BY_DEFAULT if row in collections.resources.rows]
        self._registered: Registered[MutatingPolicy] | None = None
        found = {row.plural: row for row in reversed(kept)}
        if found:
            self._registered = Registered(
                collections,
                found[MUTATINGADMISSIONPOLICIES.plural],
                found[MUTATINGADMISSIONPOLICYBINDINGS.plural],
                compiled_mutating,
            )

    def mutation(self, review: Review) -> "PolicyMutation | None":
        """What policies do to this object; None when there are none that may."""
        if self._registered is None or not self._registered.active:
            return None
        if review.operation is Operation.DELETE or is_configuring(review):
            return None
        return PolicyMutation(self, self._registered, review)


class PolicyMutation:
    """The changes of one write, in one or two passes.

    `is_wanted_again` says after the first pass whether there is to be a second one.
    """

    def __init__(
        self, parts: MutatingPolicies, registered: Registered[MutatingPolicy], review: Review
    ) -> None:
        """Nothing has been evaluated yet."""
        self.is_wanted_again = False
        self._parts, self._registered, self._review = parts, registered, review
        self._is_again = False
        self._invoked: set[Key] = set()  # those that may be evaluated again
        self._again: set[Key] = set()
        self._output: Object | None = None
        self._failures: list[_Failure] = []

    async def run(self) -> None:
        """Do a pass; raises what the client is told."""
        self._failures = []
        invocations = [one async for one in self._invocations()]
        if invocations:
            await self._invoke(invocations)
        self._is_again = True
        closed = [one for one in self._failures if one.policy.fails_closed]
        if closed:
            raise _refusal(self._review, closed)

    async def _invocations(self) -> AsyncIterator[_Invocation]:
        """Whatever is about the write as it is now; what cannot be said is a failure."""
        review, collections = self._review, self._parts.collections
        for definition, bindings in self._registered.active:
            try:
                seen_as = await definition.criteria.seen_as(review, collections)
            except ApiError as error:
                self._misconfigured(definition.policy, "", error)
                continue
            if seen_as is None:
                continue
            for binding in bindings:
                for params in await self._params(definition, binding):
                    yield _Invocation(definition.policy, binding.name, params, seen_as)

    async def _params(
        self, definition: Definition[MutatingPolicy], binding: Binding
    ) -> list[Object | None]:
        review, collections = self._review, self._parts.collections
        try:
            if not await binding.is_about(review, collections):
                return []
            return await params_for(definition.params_kind, binding, review, collections)
        except (ApiError, Misconfigured) as error:
            self._misconfigured(definition.policy, binding.name, error)
            return []

    def _misconfigured(self, policy: MutatingPolicy, binding: str, error: Exception) -> None:
        part = "binding" if binding else "policy"
        text = f"failed to configure {part}: {error}"
        self._failures.append(_Failure(policy, binding, text))

    async def _invoke(self, invocations: list[_Invocation]) -> None:
        review = self._review
        if self._is_again and self._output != review.obj:
            self._invoke_all_again()
        namespace = await namespace_of(review, self._parts.collections)
        for invocation in invocations:
            variables = request_variables(review, invocation.seen_as, self._parts.authorizer)
            variables |= {"namespaceObject": namespace, "params": invocation.params}
            if self._is_due(invocation, variables):
                self._change(invocation, variables)
        self._output = deep_copy(review.obj)

    def _is_due(self, invocation: _Invocation, variables: dict[str, Any]) -> bool:
        policy = invocation.policy
        try:
            if not policy.conditions.hold(variables):
                return False
        except ConditionsFailed as error:
            self._failures.append(_Failure(policy, invocation.binding, str(error), "Invalid"))
            return False
        return not self._is_again or invocation.key in self._again

    def _invoke_all_again(self) -> None:
        self._again |= self._invoked
        self._invoked.clear()

    def _change(self, invocation: _Invocation, variables: dict[str, Any]) -> None:
        review, policy, seen_as = self._review, invocation.policy, invocation.seen_as
        before = obj = shown(review, seen_as) or {}
        for mutation in policy.mutations:
            try:
                obj = _after(policy, mutation, {**variables, "object": obj}, seen_as)
            except MutationError as error:
                text = str(error)
                self._failures.append(_Failure(policy, invocation.binding, text, "Invalid"))
        if obj != before:
            content = converted(obj, seen_as, review.resource)
            review.obj.clear()
            review.obj.update(content)
            self._invoke_all_again()
            self.is_wanted_again = True
        if policy.may_be_reinvoked:
            self._invoked.add(invocation.key)


def _after(
    policy: MutatingPolicy, mutation: Mutation, variables: dict[str, Any], resource: Resource
) -> Object:
    """The object after one mutation, read by its type; raises MutationError or InternalError."""
    before: Object = variables["object"]
    result = mutated(policy, mutation, variables, _shape_of(before, resource))
    if result is before:
        return before
    try:
        return retyped(result, before, resource, is_strict=not mutation.applies)
    except InternalError:
        raise
    except ApiError as error:
        if mutation.applies:
            raise MutationError(error.message) from error
        raise InternalError.of(error.message) from error


def _shape_of(obj: Object, resource: Resource) -> MapShape:
    if (obj["apiVersion"], obj["kind"]) == (resource.api_version, resource.kind):
        return endpoint_of(resource).shape
    return shape_for(obj["apiVersion"], obj["kind"])


def _refusal(review: Review, failures: list[_Failure]) -> ApiError:
    """A 403 that says what the first says, with the reason of that, and all as its causes."""
    forbidden = review.forbidden("admission request denied by policy")
    details = {**forbidden.details, "causes": [{"message": str(one)} for one in failures]}
    reason = failures[0].reason or "Forbidden"
    return ApiError(str(failures[0]), details=details, code=403, reason=reason)
