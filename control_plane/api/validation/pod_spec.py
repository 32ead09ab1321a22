"""Rules of a pod spec, in pods and in templates.

Called by pods.py and workloads.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api import quantity
from control_plane.api.internal_form import internal_form
from control_plane.api.pod_requests import aggregate_request
from control_plane.api.validation import formats
from control_plane.api.validation.containers import validate_containers
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    one_of,
    required,
)
from control_plane.api.validation.labels import validate_labels
from control_plane.api.validation.pod_affinity import validate_affinity
from control_plane.api.validation.pod_context import PodContext
from control_plane.api.validation.pod_dns import validate_pod_dns
from control_plane.api.validation.pod_security import validate_pod_security
from control_plane.api.validation.quantities import (
    amount_of,
    validate_amount,
    validate_container_resource_name,
    validate_requirements,
)
from control_plane.api.validation.scheduling import (
    validate_gates,
    validate_spread,
    validate_tolerations,
)
from control_plane.api.validation.volumes import claim_name_conflicts, validate_volumes
from control_plane.api.validation.windows_options import validate_host_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
_SUBDOMAINS: Final = ("nodeName", "serviceAccountName", "priorityClassName", "runtimeClassName")
_MAX_DEADLINE: Final = 2**31 - 1


def validate_pod_spec(
    spec: Object, path: str, *, is_template: bool = False, pod_name: str = ""
) -> Iterator[FieldError]:
    """Check a pod spec that has been defaulted; `pod_name` is "" in templates."""
    volumes = spec.get("volumes") or []
    context = PodContext(
        spec,
        {volume["name"]: volume for volume in volumes if volume.get("name")},
        tuple(claim.get("name") or "" for claim in spec.get("resourceClaims") or []),
        is_template,
        pod_name,
    )
    yield from validate_volumes(volumes, f"{path}.volumes", context)
    yield from claim_name_conflicts(spec, pod_name, f"{path}.volumes")
    yield from validate_containers(spec, path, context)
    yield from one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    yield from validate_pod_dns(spec, path)
    yield from validate_labels(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from validate_pod_security(spec, path)
    yield from _validate_times(spec, path)
    yield from _validate_names(spec, path)
    yield from _validate_placement(spec, path)
    yield from _validate_resources(spec, path)
    yield from _validate_claims(spec.get("resourceClaims") or [], f"{path}.resourceClaims")
    yield from validate_host_process(spec, path)
    yield from _validate_system(spec, path)


def _validate_times(spec: Object, path: str) -> Iterator[FieldError]:
    if spec.get("terminationGracePeriodSeconds") is None:
        yield required(f"{path}.terminationGracePeriodSeconds")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _MAX_DEADLINE:
        detail = formats.in_range(1, _MAX_DEADLINE)
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, detail)


def _validate_names(spec: Object, path: str) -> Iterator[FieldError]:
    for field in _SUBDOMAINS:
        name = spec.get(field) or ""
        if name:
            yield from invalid_each(f"{path}.{field}", name, formats.dns1123_subdomain(name))
    for index, secret in enumerate(spec.get("imagePullSecrets") or []):
        if set(secret) - {"name"}:
            yield invalid(f"{path}.imagePullSecrets[{index}]", secret, "only name may be set")
    for index, gate in enumerate(spec.get("readinessGates") or []):
        kind = gate.get("conditionType") or ""
        where = f"{path}.readinessGates[{index}].conditionType"
        yield from invalid_each(where, kind, formats.qualified_name(kind))
    policies = ("Never", "PreemptLowerPriority")
    where = f"{path}.preemptionPolicy"
    yield from one_of(where, spec.get("preemptionPolicy"), policies, optional=True)


def _validate_placement(spec: Object, path: str) -> Iterator[FieldError]:
    yield from validate_affinity(spec.get("affinity") or {}, f"{path}.affinity")
    yield from validate_tolerations(spec.get("tolerations") or [], f"{path}.tolerations")
    where = f"{path}.topologySpreadConstraints"
    yield from validate_spread(spec.get("topologySpreadConstraints") or [], where)
    yield from validate_gates(spec.get("schedulingGates") or [], f"{path}.schedulingGates")


def _validate_resources(spec: Object, path: str) -> Iterator[FieldError]:
    for name, amount in (spec.get("overhead") or {}).items():
        yield from validate_container_resource_name(name, f"{path}.overhead")
        yield from validate_amount(name, amount, f"{path}.overhead[{name}]")
    resources = spec.get("resources")
    if resources is None:
        return
    if resources.get("claims"):
        detail = "claims may not be set for Resources at pod-level"
        yield forbidden(f"{path}.resources.claims", detail)
    for field in ("limits", "requests"):
        for name in resources.get(field) or {}:
            if name not in ("cpu", "memory") and not name.startswith("hugepages-"):
                choices = ("cpu", "hugepages-", "memory")
                yield not_supported(f"{path}.resources.{field}", name, choices)
    yield from _validate_aggregates(spec, resources, path)
    without_claims = {key: value for key, value in resources.items() if key != "claims"}
    yield from validate_requirements(without_claims, f"{path}.resources")


def _validate_aggregates(spec: Object, resources: Object, path: str) -> Iterator[FieldError]:
    """Compare what the pod asks for as a whole with what its containers do."""
    for name, amount in (resources.get("requests") or {}).items():
        total = aggregate_request(spec, name)
        if name in ("cpu", "memory") and total > amount_of(amount) * 1000:
            shown = quantity.canonical(f"{total}m")
            detail = f"must be greater than or equal to aggregate container requests of {shown}"
            yield invalid(f"{path}.resources.requests[{name}]", str(amount), detail)
    limits = resources.get("limits") or {}
    for index, container in enumerate(spec.get("containers") or []):
        for name, amount in ((container.get("resources") or {}).get("limits") or {}).items():
            if name in limits and amount_of(amount) > amount_of(limits[name]):
                where = f"{path}.containers[{index}].resources.limits[{name}]"
                detail = f"must be less than or equal to pod limits of {limits[name]}"
                yield invalid(where, str(amount), detail)


def _validate_claims(claims: list[Object], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        where = f"{path}[{index}]"
        name = claim.get("name") or ""
        if not name:
            yield required(f"{where}.name")
        else:
            yield from invalid_each(f"{where}.name", name, formats.dns1123_label(name))
            if name in seen:
                yield duplicate(f"{where}.name", name)
        seen.add(name)
        sources = ("resourceClaimName", "resourceClaimTemplateName")
        given = [source for source in sources if claim.get(source) is not None]
        if len(given) > 1:
            detail = (
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            )
            yield invalid(where, internal_form("PodResourceClaim", claim), detail)
        elif not given:
            detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            yield invalid(where, internal_form("PodResourceClaim", claim), detail)


def _validate_system(spec: Object, path: str) -> Iterator[FieldError]:
    """Check the operating system a pod says it is for, and what that rules out."""
    system = spec.get("os")
    if system is None:
        return
    name = system.get("name") or ""
    if not name:
        yield required(f"{path}.os.name")
    elif name not in ("linux", "windows"):
        yield not_supported(f"{path}.os", name, ("linux", "windows"))
    if name == "linux":
        yield from _without_windows_options(spec, path)
    elif name == "windows":
        yield from _without_linux_fields(spec, path)


def _without_windows_options(spec: Object, path: str) -> Iterator[FieldError]:
    detail = "windows options cannot be set for a linux pod"
    if (spec.get("securityContext") or {}).get("windowsOptions") is not None:
        yield forbidden(f"{path}.securityContext.windowsOptions", detail)
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or []):
            if (container.get("securityContext") or {}).get("windowsOptions") is not None:
                where = f"{path}.{field}[{index}].securityContext.windowsOptions"
                yield forbidden(where, detail)


_LINUX_POD_FIELDS: Final = ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace")
_LINUX_SECURITY_FIELDS: Final = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy",
    "sysctls", "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)  # fmt: skip
_LINUX_CONTAINER_FIELDS: Final = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities",
    "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser",
    "runAsGroup",
)  # fmt: skip


def _without_linux_fields(spec: Object, path: str) -> Iterator[FieldError]:
    detail = "cannot be set for a windows pod"
    security = spec.get("securityContext") or {}
    for field in _LINUX_SECURITY_FIELDS:
        if security.get(field) is not None:
            yield forbidden(f"{path}.securityContext.{field}", detail)
    for field in _LINUX_POD_FIELDS:
        if spec.get(field):
            yield forbidden(f"{path}.{field}", detail)
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or []):
            options = container.get("securityContext") or {}
            for field in _LINUX_CONTAINER_FIELDS:
                if options.get(field) is not None:
                    where = f"{path}.{kind}[{index}].securityContext.{field}"
                    yield forbidden(where, detail)
