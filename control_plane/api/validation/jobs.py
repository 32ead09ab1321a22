"""Rules of jobs, and of the job specs that cron jobs make jobs from.

Called through the VALIDATORS table and by cron_jobs.py. Source: v1.35 batch/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.internal_form import internal_form
from control_plane.api.objects import deep_copy, dig, labels_of, name_of, uid_of
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.controlled_pods import MISMATCH, selects, validate_template
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    invalid,
    non_negative,
    not_supported,
    required,
    too_long,
)
from control_plane.api.validation.job_policies import (
    validate_pod_failure_policy,
    validate_replacement_policy,
    validate_success_policy,
)
from control_plane.api.validation.labels import validate_selector
from control_plane.api.validation.paths import validate_domain_prefixed_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MANY: Final = 100_000
MANY_FAILED: Final = 10_000
MAX_MANAGER: Final = 63
_NUMBERS: Final = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
    "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
_INDEXED_ONLY: Final = "requires indexed completion mode"
_TOO_MANY_INDEXES: Final = (
    f"must be less than or equal to {MANY_FAILED} when completions are above {MANY} and used with "
    "backoff limit per index"
)
_FROZEN: Final = (
    "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy",
)  # fmt: skip
_POLICIES: Final = {"podFailurePolicy": "PodFailurePolicy", "successPolicy": "SuccessPolicy"}
_SCHEDULING: Final = ("nodeSelector", "tolerations", "schedulingGates")
_OWN_LABELS: Final = {
    "controller-uid": uid_of,
    "job-name": name_of,
    "batch.kubernetes.io/controller-uid": uid_of,
    "batch.kubernetes.io/job-name": name_of,
}


def is_indexed(spec: Object) -> bool:
    """Tell whether each pod of the job has a number."""
    return spec.get("completionMode") == "Indexed"


def validate_new_job(job: Object) -> Iterator[FieldError]:
    """Check a new Job: the selector is the generated one, unless the client takes care of it."""
    spec = job.get("spec") or {}
    if not spec.get("manualSelector") and spec.get("selector") is not None:
        yield from _validate_generated_selector(job, spec)
    yield from _validate_selected_spec(spec)
    completions = spec.get("completions") or 0
    if is_indexed(spec) and completions > 0:
        pod_name = f"{name_of(job)}-{completions - 1}"
        if formats.dns1123_label(pod_name):
            detail = f"will not able to create pod with invalid DNS label: {pod_name}"
            yield invalid("metadata.name", name_of(job), detail)


def _validate_generated_selector(job: Object, spec: Object) -> Iterator[FieldError]:
    labels = labels_of(spec.get("template") or {})
    expected = {label: value(job) for label, value in _OWN_LABELS.items()}
    for label, value in expected.items():
        path = f"spec.template.metadata.labels[{label}]"
        if label not in labels:
            yield required(path, f"must be '{value}'")
        elif labels[label] != value:
            yield invalid(path, labels, f"must be '{value}'")
    if not selects(spec["selector"], expected):
        yield invalid("spec.selector", spec["selector"], "`selector` not auto-generated")


def _validate_selected_spec(spec: Object) -> Iterator[FieldError]:
    yield from validate_job_spec(spec, "spec")
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    yield from validate_selector(selector, "spec.selector")
    labels = labels_of(spec.get("template") or {})
    if selector is None or not selects(selector, labels):
        yield invalid("spec.template.metadata.labels", labels or None, MISMATCH)


def validate_job_spec(spec: Object, path: str) -> Iterator[FieldError]:
    """Check all of a job's spec but its selector."""
    for field in _NUMBERS:
        yield from non_negative(f"{path}.{field}", spec.get(field))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    manager = spec.get("managedBy")
    if manager is not None:
        where = f"{path}.managedBy"
        yield from validate_domain_prefixed_path(manager, where)
        if len(manager.encode()) > MAX_MANAGER:
            yield too_long(where, MAX_MANAGER)
    yield from _validate_completion_mode(spec, path)
    yield from validate_pod_failure_policy(spec, f"{path}.podFailurePolicy")
    if spec.get("successPolicy") is not None:
        where = f"{path}.successPolicy"
        if is_indexed(spec):
            yield from validate_success_policy(spec, where)
        else:
            yield invalid(where, _shown("successPolicy", spec["successPolicy"]), _INDEXED_ONLY)
    yield from validate_replacement_policy(spec, f"{path}.podReplacementPolicy")
    yield from validate_template(spec.get("template") or {}, f"{path}.template")
    yield from _validate_restart_policy(spec, f"{path}.template.spec.restartPolicy")


def _validate_completion_mode(spec: Object, path: str) -> Iterator[FieldError]:
    mode = spec.get("completionMode")
    if mode not in (None, "NonIndexed", "Indexed"):
        yield not_supported(f"{path}.completionMode", mode, ("Indexed", "NonIndexed"))
    elif mode == "Indexed":
        yield from _validate_indexed(spec, path)
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                yield invalid(f"{path}.{field}", spec[field], _INDEXED_ONLY)


def _validate_indexed(spec: Object, path: str) -> Iterator[FieldError]:
    completions, failed = spec.get("completions"), spec.get("maxFailedIndexes")
    parallelism = spec.get("parallelism") or 0
    if completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if parallelism > MANY:
        detail = f"must be less than or equal to {MANY} when completion mode is Indexed"
        yield invalid(f"{path}.parallelism", parallelism, detail)
    if failed is not None:
        if completions is not None and failed > completions:
            detail = "must be less than or equal to completions"
            yield invalid(f"{path}.maxFailedIndexes", failed, detail)
        if failed > MANY:
            detail = f"must be less than or equal to {MANY}"
            yield invalid(f"{path}.maxFailedIndexes", failed, detail)
    if (completions or 0) > MANY and spec.get("backoffLimitPerIndex") is not None:
        if failed is None:
            detail = f"must be specified when completions is above {MANY}"
            yield required(f"{path}.maxFailedIndexes", detail)
        if parallelism > MANY_FAILED:
            yield invalid(f"{path}.parallelism", parallelism, _TOO_MANY_INDEXES)
        if (failed or 0) > MANY_FAILED:
            yield invalid(f"{path}.maxFailedIndexes", failed, _TOO_MANY_INDEXES)


def _validate_restart_policy(spec: Object, path: str) -> Iterator[FieldError]:
    policy = dig(spec, "template", "spec", "restartPolicy", default="")
    if policy in ("", "Always"):
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield not_supported(path, policy, ("OnFailure", "Never"))
    elif policy != "Never" and spec.get("podFailurePolicy") is not None:
        yield invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def validate_job_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a Job: what its pods are made of and how they count stays."""
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    yield from _validate_selected_spec(spec)
    yield from _validate_completions_kept(spec, stored)
    if not semantically_equal(spec.get("selector"), stored.get("selector")):
        yield invalid("spec.selector", spec.get("selector"), IMMUTABLE)
    if not semantically_equal(spec.get("template"), _changeable_template(spec, stored, old)):
        shown = internal_form("PodTemplateSpec", spec.get("template"))
        yield invalid("spec.template", shown, IMMUTABLE)
    for field in _FROZEN:
        if not semantically_equal(spec.get(field), stored.get(field)):
            yield invalid(f"spec.{field}", _shown(field, spec.get(field)), IMMUTABLE)


def _validate_completions_kept(spec: Object, stored: Object) -> Iterator[FieldError]:
    if spec.get("completions") == stored.get("completions"):
        return
    if not is_indexed(spec):
        yield invalid("spec.completions", spec.get("completions"), IMMUTABLE)
    elif any(each.get("completions") != each.get("parallelism") for each in (spec, stored)):
        detail = "can only be modified in tandem with spec.parallelism"
        yield invalid("spec.completions", spec.get("completions"), detail)


def _shown(field: str, value: Any) -> Any:
    """Return a field's value as an error prints it."""
    struct = _POLICIES.get(field)
    return internal_form(struct, value) if struct and value is not None else value


def _changeable_template(spec: Object, stored: Object, old: Object) -> Object:
    """Return the stored template with what may change taken from the new one.

    While the job is suspended and has never started that is where its pods may go.
    """
    template: Object = stored.get("template") or {}
    if not stored.get("suspend") or dig(old, "status", "startTime") is not None:
        return template
    merged = deep_copy(template)
    wanted = spec.get("template") or {}
    for field in ("labels", "annotations"):
        merged.setdefault("metadata", {})[field] = dig(wanted, "metadata", field)
    pod = merged.setdefault("spec", {})
    for field in _SCHEDULING:
        pod[field] = dig(wanted, "spec", field)
    pod["affinity"] = {
        **(pod.get("affinity") or {}),
        "nodeAffinity": dig(wanted, "spec", "affinity", "nodeAffinity"),
    }
    return merged
