"""ValidatingAdmissionPolicy: refuses, warns of and notes what the cluster's policies are against.

Source: the dispatcher of validating admission policies, v1.35.
"""

from typing import Any, NamedTuple

import orjson

from control_plane.api.errors import ApiError
from control_plane.api.policies.compiled import Policy, compiled
from control_plane.api.policies.evaluation import Annotation, Denial, evaluate
from control_plane.api.resources import (
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    Resource,
)
from control_plane.apiserver.admission.matching import is_configuring
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.policies.params import Misconfigured, params_for
from control_plane.apiserver.admission.policies.registered import Binding, Definition, Registered
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission.variables import namespace_of, request_variables
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections

FAILURE_KEY = "validation.policy.admission.k8s.io/validation_failure"
MAX_ANNOTATION_BYTES = 10_240
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}


class _Refusal(NamedTuple):
    policy: str
    binding: str
    denial: Denial


class _Findings:
    """What all policies together have against one write, and want noted of it."""

    def __init__(self, review: Review) -> None:
        self.refusals: list[_Refusal] = []
        self._review = review
        self._noted: dict[str, list[str]] = {}

    def take(self, definition: Definition[Policy], binding: Binding, denial: Denial) -> None:
        """Do what the binding wants done about a failure."""
        policy = definition.policy.name
        if "Deny" in binding.actions:
            self.refusals.append(_Refusal(policy, binding.name, denial))
        if "Warn" in binding.actions:
            self._review.call.warn(
                f"Validation failed for ValidatingAdmissionPolicy '{policy}' with binding "
                f"'{binding.name}': {denial.message}"
            )
        if "Audit" in binding.actions:
            failure = {
                "message": denial.message,
                "policy": policy,
                "binding": binding.name,
                "expressionIndex": denial.index,
                "validationActions": list(binding.actions),
            }
            self._review.call.annotate(FAILURE_KEY, orjson.dumps([failure]).decode())

    def note(
        self, definition: Definition[Policy], binding: Binding, annotation: Annotation
    ) -> None:
        """Keep an audit annotation; one that failed refuses the write."""
        policy = definition.policy.name
        if annotation.error:
            self.refusals.append(_Refusal(policy, binding.name, Denial(annotation.error)))
            return
        values = self._noted.setdefault(f"{policy}/{annotation.key}", [])
        value = annotation.value.encode()[:MAX_ANNOTATION_BYTES].decode(errors="ignore")
        if value not in values:
            values.append(value)

    def misconfigured(self, definition: Definition[Policy], binding: str, error: str) -> None:
        """Refuse what cannot be judged, unless the policy lets that pass."""
        if definition.policy.fails_closed:
            part = "binding" if binding else "policy"
            denial = Denial(f"failed to configure {part}: {error}")
            self.refusals.append(_Refusal(definition.policy.name, binding, denial))

    def settle(self) -> None:
        """Note the annotations; raise for the first refusal."""
        for key, values in self._noted.items():
            self._review.call.annotate(key, ", ".join(values))
        if self.refusals:
            raise _error(self._review, self.refusals[0])


def _error(review: Review, refusal: _Refusal) -> ApiError:
    by = f" with binding '{refusal.binding}'" if refusal.binding else ""
    message = (
        f"ValidatingAdmissionPolicy '{refusal.policy}'{by} denied request: {refusal.denial.message}"
    )
    forbidden, reason = review.forbidden(message), refusal.denial.reason
    details = {**forbidden.details, "causes": [*forbidden.causes, {"message": message}]}
    code = _CODES.get(reason, 422)
    return ApiError(forbidden.message, details=details, code=code, reason=reason)


class ValidatingAdmissionPolicy(Plugin):
    """Asks every policy that is bound and about the write."""

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the policies of the cluster."""
        super().__init__(collections, authorizer)
        self._registered = Registered(
            collections,
            VALIDATINGADMISSIONPOLICIES,
            VALIDATINGADMISSIONPOLICYBINDINGS,
            compiled,
        )

    async def check(self, review: Review) -> None:
        """Raise what the first policy that denies says."""
        if not self._registered.active or is_configuring(review):
            return
        findings = _Findings(review)
        for definition, bindings in self._registered.active:
            try:
                seen_as = await definition.criteria.seen_as(review, self.collections)
            except ApiError as error:
                findings.misconfigured(definition, "", str(error))
                continue
            if seen_as is not None:
                await self._ask(definition, bindings, (review, seen_as), findings)
        findings.settle()

    async def _ask(
        self,
        definition: Definition[Policy],
        bindings: tuple[Binding, ...],
        seen: tuple[Review, Resource],
        findings: _Findings,
    ) -> None:
        review, seen_as = seen
        variables: dict[str, Any] = {}
        for binding in bindings:
            try:
                if not await binding.is_about(review, self.collections):
                    continue
                params = await params_for(definition.params_kind, binding, review, self.collections)
            except (ApiError, Misconfigured) as error:
                findings.misconfigured(definition, binding.name, str(error))
                continue
            if not variables:
                variables = request_variables(review, seen_as, self.authorizer)
                variables["namespaceObject"] = await namespace_of(review, self.collections)
            for one in params:
                outcome = evaluate(definition.policy, {**variables, "params": one})
                for denial in outcome.denials:
                    findings.take(definition, binding, denial)
                for annotation in outcome.annotations:
                    findings.note(definition, binding, annotation)
