"""The tables of what extends the API: webhooks, admission policies, API services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import Object, dig, find_condition, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import age, selector

if TYPE_CHECKING:
    from datetime import datetime

_UNSET: Final = "<unset>"


def _webhook_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), len(obj.get("webhooks") or []), age(obj, now)]


def _policy_cells(obj: Object, now: datetime) -> list[Any]:
    return _cells_of_policy(obj, "validations", now)


def _mutating_policy_cells(obj: Object, now: datetime) -> list[Any]:
    return _cells_of_policy(obj, "mutations", now)


def _cells_of_policy(obj: Object, counted: str, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    kind = spec.get("paramKind") or {}
    shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else _UNSET
    return [name_of(obj), len(spec.get(counted) or []), shown, age(obj, now)]


def _binding_cells(obj: Object, now: datetime) -> list[Any]:
    policy = dig(obj, "spec", "policyName", default="")
    return [name_of(obj), policy, _param_ref(dig(obj, "spec", "paramRef")), age(obj, now)]


def _api_service_cells(obj: Object, now: datetime) -> list[Any]:
    service = dig(obj, "spec", "service")
    place = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    condition = find_condition(obj, "Available") or {"status": "Unknown"}
    shown = condition.get("status")
    if shown != "True":
        shown = f"{shown} ({condition['reason']})" if condition.get("reason") else shown
    return [name_of(obj), place, shown, age(obj, now)]


def _param_ref(ref: Object | None) -> str:
    if ref is None:
        return _UNSET
    if ref.get("name"):
        return f"{ref.get('namespace') or '*'}/{ref['name']}"
    return selector(ref["selector"]) if ref.get("selector") is not None else _UNSET


APISERVICES = View(
    (
        NAME,
        Column("Service", text="Where requests of the group version go."),
        Column("Available", text="Whether it can be used."),
        AGE,
    ),
    _api_service_cells,
)
WEBHOOKS = View(
    (
        NAME,
        Column(
            "Webhooks",
            "integer",
            doc="admissionregistration.v1.ValidatingWebhookConfiguration.webhooks",
        ),
        AGE,
    ),
    _webhook_cells,
)
VALIDATINGADMISSIONPOLICIES = View(
    (
        NAME,
        Column(
            "Validations", "integer",
            doc="admissionregistration.v1.ValidatingAdmissionPolicySpec.validations",
        ),
        Column("ParamKind", doc="admissionregistration.v1.ValidatingAdmissionPolicySpec.paramKind"),
        AGE,
    ),
    _policy_cells,
)  # fmt: skip
VALIDATINGADMISSIONPOLICYBINDINGS = View(
    (
        NAME,
        Column(
            "PolicyName",
            doc="admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.policyName",
        ),
        Column(
            "ParamRef",
            doc="admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.paramRef",
        ),
        AGE,
    ),
    _binding_cells,
)
MUTATINGADMISSIONPOLICIES = View(
    (
        NAME,
        Column(
            "Mutations", "integer",
            doc="admissionregistration.v1beta1.MutatingAdmissionPolicySpec.mutations",
        ),
        Column(
            "ParamKind", doc="admissionregistration.v1beta1.MutatingAdmissionPolicySpec.paramKind"
        ),
        AGE,
    ),
    _mutating_policy_cells,
)  # fmt: skip
MUTATINGADMISSIONPOLICYBINDINGS = View(
    (
        NAME,
        Column(
            "PolicyName",
            doc="admissionregistration.v1beta1.MutatingAdmissionPolicyBindingSpec.policyName",
        ),
        Column(
            "ParamRef",
            doc="admissionregistration.v1beta1.MutatingAdmissionPolicyBindingSpec.paramRef",
        ),
        AGE,
    ),
    _binding_cells,
)
