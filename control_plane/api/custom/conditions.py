"""What becomes of a CustomResourceDefinition: its accepted names, its conditions, its end.

Names are disputed within a group: whoever had one accepted first keeps it. Source: the naming,
establishing, apiapproval and finalizing controllers of apiextensions v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from control_plane.api.certificate_pem import authorities_trouble
from control_plane.api.field_error import aggregate, invalid
from control_plane.api.objects import annotations_of, dig, finalizers_of, find_condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.objects import Object

CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"
NAMES_ACCEPTED: Final = "NamesAccepted"
ESTABLISHED: Final = "Established"
TERMINATING: Final = "Terminating"
NON_STRUCTURAL: Final = "NonStructuralSchema"
APPROVED: Final = "KubernetesAPIApprovalPolicyConformant"
INVALID_BUNDLE: Final = "InvalidCABundle"
APPROVAL: Final = "api-approved.kubernetes.io"
_PROTECTED: Final = ("k8s.io", "kubernetes.io")


class Taken(NamedTuple):
    """The names that other definitions of the group have: of resources, and of kinds."""

    resources: frozenset[str]
    kinds: frozenset[str]


def taken_by(accepted: Iterable[Mapping[str, Any]]) -> Taken:
    """Return what the acceptedNames of other definitions take."""
    resources, kinds = set[str](), set[str]()
    for names in accepted:
        resources |= {names.get("plural") or "", names.get("singular") or ""}
        resources.update(names.get("shortNames") or ())
        kinds |= {names.get("kind") or "", names.get("listKind") or ""}
    return Taken(frozenset(resources - {""}), frozenset(kinds - {""}))


def condition(kind: str, status: str, reason: str, message: str, now: str) -> Object:
    """Return a condition as it is stored."""
    return {
        "type": kind,
        "status": status,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def with_names(definition: Object, taken: Taken, now: str) -> Object:
    """Return the definition with the names that it gets, and whether it is established."""
    accepted, trouble = _accepted(definition, taken)
    if trouble is None:
        found = condition(NAMES_ACCEPTED, "True", "NoConflicts", "no conflicts found", now)
    else:
        found = condition(NAMES_ACCEPTED, "False", *trouble, now)
    conditions = [found, *_establishing(definition, found["status"], now)]
    conditions += [*_structure(definition, now), *_approval(definition, now)]
    status = {**(definition.get("status") or {}), "acceptedNames": accepted}
    changed = _without_old_structure({**definition, "status": status})
    for one in conditions:
        changed = with_condition(changed, one)
    return changed


def with_condition(definition: Object, new: Object) -> Object:
    """Return the definition in a condition, whose time stays while its status does."""
    status = definition.get("status") or {}
    conditions = list(status.get("conditions") or [])
    for index, stored in enumerate(conditions):
        if stored.get("type") == new["type"]:
            if stored.get("status") == new["status"]:
                new = {**new, "lastTransitionTime": stored.get("lastTransitionTime")}
            conditions[index] = new
            break
    else:
        conditions.append(new)
    return {**definition, "status": {**status, "conditions": conditions}}


def with_deletion(definition: Object, now: str) -> Object:
    """Return the definition marked for deletion: its objects are to be deleted before it."""
    metadata = {**definition["metadata"], "deletionTimestamp": now}
    finalizers = finalizers_of(definition)
    if CLEANUP not in finalizers:
        metadata["finalizers"] = [*finalizers, CLEANUP]
    message = (
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    )
    pending = condition(TERMINATING, "True", "InstanceDeletionPending", message, now)
    return with_condition({**definition, "metadata": metadata}, pending)


def is_served(definition: Object) -> bool:
    """Tell whether a definition's kinds are served: its names are its own, or were once."""
    named, established = (
        find_condition(definition, kind) or {} for kind in (NAMES_ACCEPTED, ESTABLISHED)
    )
    if established.get("reason") == INVALID_BUNDLE:
        return False
    return "True" in (named.get("status"), established.get("status"))


def is_established(definition: Object) -> bool:
    """Tell whether a definition's kinds have ever been served."""
    return (find_condition(definition, ESTABLISHED) or {}).get("status") == "True"


def has_its_names(definition: Object) -> bool:
    """Tell whether a definition is established with all the names that it wants."""
    wanted = {key: value for key, value in definition["spec"]["names"].items() if value}
    accepted = dig(definition, "status", "acceptedNames", default={})
    names = (find_condition(definition, NAMES_ACCEPTED) or {}).get("status")
    is_right = _without_old_structure(definition) is definition
    return wanted == accepted and names == "True" and is_established(definition) and is_right


def _accepted(definition: Object, taken: Taken) -> tuple[Object, tuple[str, str] | None]:
    """Return the accepted names, and the reason and message of the last conflict."""
    wanted = definition["spec"]["names"]
    had = dig(definition, "status", "acceptedNames", default={})
    accepted, trouble = dict(had), None
    for field, reason, others in (
        ("plural", "PluralConflict", taken.resources),
        ("singular", "SingularConflict", taken.resources),
        ("shortNames", "ShortNamesConflict", taken.resources),
        ("kind", "KindConflict", taken.kinds),
        ("listKind", "ListKindConflict", taken.kinds),
    ):
        conflicts = _conflicts(wanted.get(field), had.get(field), others)
        if conflicts:
            trouble = (reason, aggregate_texts(conflicts))
        elif wanted.get(field):
            accepted[field] = wanted[field]
        else:
            accepted.pop(field, None)
    if wanted.get("categories"):
        accepted["categories"] = wanted["categories"]
    else:
        accepted.pop("categories", None)
    return accepted, trouble


def _conflicts(wanted: Any, had: Any, others: frozenset[str]) -> list[str]:
    names = wanted if isinstance(wanted, list) else [wanted or ""]
    kept = had if isinstance(had, list) else [had or ""]
    return [f'"{name}" is already in use' for name in names if name in others and name not in kept]


def aggregate_texts(texts: list[str]) -> str:
    """Join the texts of several errors as upstream does."""
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _establishing(definition: Object, accepted: str, now: str) -> list[Object]:
    if is_established(definition):
        return []
    if accepted != "True":
        message = "not all names are accepted"
        return [condition(ESTABLISHED, "False", "NotAccepted", message, now)]
    if authorities_trouble(bundle_of(definition)):
        message = "The conversion webhook CABundle is invalid"
        return [condition(ESTABLISHED, "False", INVALID_BUNDLE, message, now)]
    message = "the initial names have been accepted"
    return [condition(ESTABLISHED, "True", "InitialNamesAccepted", message, now)]


def _preserves(definition: Object) -> bool:
    """Whether it preserves unknown fields at the root, as no definition of v1 may."""
    return dig(definition, "spec", "preserveUnknownFields") is True


def _structure(definition: Object, now: str) -> list[Object]:
    """The condition of a definition that others have stored; what they say of its schemas stays."""
    if not _preserves(definition) or find_condition(definition, NON_STRUCTURAL) is not None:
        return []
    trouble = aggregate([invalid("spec.preserveUnknownFields", True, "must be false")])
    return [condition(NON_STRUCTURAL, "True", "Violations", trouble, now)]


def _without_old_structure(definition: Object) -> Object:
    """Return the definition without the condition that it is in no longer."""
    if _preserves(definition) or find_condition(definition, NON_STRUCTURAL) is None:
        return definition
    status = definition["status"]
    kept = [one for one in status["conditions"] if one.get("type") != NON_STRUCTURAL]
    return {**definition, "status": {**status, "conditions": kept}}


def bundle_of(definition: Object) -> str:
    """Return the caBundle of a definition's conversion webhook, in v1; "" for none."""
    webhook = dig(definition, "spec", "conversion", "webhook", "clientConfig", "caBundle")
    return str(webhook or "")


def _approval(definition: Object, now: str) -> list[Object]:
    group = definition["spec"].get("group") or ""
    if not any(group == one or group.endswith(f".{one}") for one in _PROTECTED):
        return []
    text = annotations_of(definition).get(APPROVAL) or ""
    if not text:
        message = (
            f'protected groups must have approval annotation "{APPROVAL}", '
            "see https://github.com/kubernetes/enhancements/pull/1111"
        )
        return [condition(APPROVED, "False", "MissingAnnotation", message, now)]
    if text.startswith("unapproved"):
        message = f'not approved: "{text}"'
        return [condition(APPROVED, "False", "UnapprovedAnnotation", message, now)]
    parts = urlsplit(text)
    if parts.scheme and parts.netloc:
        message = f"approved in {text}"
        return [condition(APPROVED, "True", "ApprovedAnnotation", message, now)]
    trouble = aggregate([invalid(f"metadata.annotations[{APPROVAL}]", text, "must be a URL")])
    return [condition(APPROVED, "False", "InvalidAnnotation", trouble, now)]
