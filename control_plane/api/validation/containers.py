"""Rules of containers of all three kinds.

Called by pod_spec.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.container_ports import (
    validate_host_port_conflicts,
    validate_ports,
)
from control_plane.api.validation.container_security import validate_container_security
from control_plane.api.validation.environment import validate_environment
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    not_found,
    not_supported,
    one_of,
    required,
    too_long,
)
from control_plane.api.validation.mounts import validate_mounts
from control_plane.api.validation.probes import validate_lifecycle, validate_probes
from control_plane.api.validation.quantities import validate_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object
    from control_plane.api.validation.pod_context import PodContext

PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")
_MAX_RULES: Final = 20
_MAX_EXIT_CODES: Final = 255
_ONLY_SIDECARS: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_NOT_EPHEMERAL: Final = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe",
    "readinessProbe", "startupProbe", "lifecycle",
)  # fmt: skip


def validate_containers(spec: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    """Check the containers of a pod spec, then its init and ephemeral ones; names are shared."""
    names: set[str] = set()
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{path}.containers")
    for index, container in enumerate(containers):
        where = f"{path}.containers[{index}]"
        yield from _validate_common(container, where, context, names)
        yield from validate_lifecycle(container, where, context)
        yield from validate_probes(container, where, context)
        yield from _validate_restart_policy(container, where)
    yield from validate_host_port_conflicts(containers, f"{path}.containers")
    inits = spec.get("initContainers") or []
    for index, container in enumerate(inits):
        where = f"{path}.initContainers[{index}]"
        yield from _validate_common(container, where, context, names)
        yield from _validate_init_container(container, where, context)
    for index, container in enumerate(spec.get("ephemeralContainers") or []):
        where = f"{path}.ephemeralContainers[{index}]"
        targets = {item.get("name") for item in (*containers, *inits)}
        yield from _validate_common(container, where, context, names)
        yield from _validate_ephemeral_container(container, where, targets)


def _validate_common(
    container: Object, path: str, context: PodContext, names: set[str]
) -> Iterator[FieldError]:
    name = container.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    else:
        yield from invalid_each(f"{path}.name", name, formats.dns1123_label(name))
        if name in names:
            yield duplicate(f"{path}.name", name)
    names.add(name)
    yield from validate_image(container, path, is_template=context.is_template)
    policies = ("FallbackToLogsOnError", "File")
    where = f"{path}.terminationMessagePolicy"
    yield from one_of(where, container.get("terminationMessagePolicy"), policies)
    yield from validate_ports(container, path, context)
    yield from validate_environment(container, path, context)
    yield from validate_mounts(container, path, context)
    where = f"{path}.imagePullPolicy"
    yield from one_of(where, container.get("imagePullPolicy"), PULL_POLICIES)
    resources = container.get("resources") or {}
    yield from validate_requirements(resources, f"{path}.resources", context.claims)
    yield from _validate_resize_policies(container, f"{path}.resizePolicy", context)
    yield from validate_container_security(container, f"{path}.securityContext", context)


def validate_image(container: Object, path: str, *, is_template: bool) -> Iterator[FieldError]:
    """Check that an image is named; templates may carry one that something fills in later."""
    image = container.get("image") or ""
    if not image:
        yield required(f"{path}.image")
    elif not is_template and image.strip() != image:
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")


def _validate_resize_policies(
    container: Object, path: str, context: PodContext
) -> Iterator[FieldError]:
    seen = set()
    for policy in container.get("resizePolicy") or []:
        name = policy.get("resourceName") or ""
        if name in seen:
            yield duplicate(path, name)
        seen.add(name)
        yield from one_of(path, name, ("cpu", "memory"))
        restart = policy.get("restartPolicy") or ""
        yield from one_of(path, restart, ("NotRequired", "RestartContainer"))
        if context.spec.get("restartPolicy") == "Never" and restart == "RestartContainer":
            detail = "must be 'NotRequired' when `restartPolicy` is 'Never'"
            yield invalid(path, restart, detail)


def _validate_restart_policy(container: Object, path: str) -> Iterator[FieldError]:
    """Check the container's own restart policy and its rules by exit code."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or []
    where = f"{path}.restartPolicy"
    if policy is not None and policy not in _RESTART_POLICIES:
        yield not_supported(where, policy, _RESTART_POLICIES)
    if rules and policy is None:
        yield required(where, "must specify restartPolicy when restart rules are used")
    if len(rules) > _MAX_RULES:
        yield too_long(f"{path}.restartPolicyRules", _MAX_RULES)
    for index, rule in enumerate(rules):
        yield from _validate_rule(rule, f"{path}.restartPolicyRules[{index}]")


def _validate_rule(rule: Object, path: str) -> Iterator[FieldError]:
    yield from one_of(f"{path}.action", rule.get("action"), ("Restart",))
    codes = rule.get("exitCodes")
    if codes is None:
        yield required(f"{path}.exitCodes", "must be specified")
        return
    yield from one_of(f"{path}.exitCodes.operator", codes.get("operator"), ("In", "NotIn"))
    if len(codes.get("values") or []) > _MAX_EXIT_CODES:
        yield too_long(f"{path}.exitCodes.values", _MAX_EXIT_CODES)


def _validate_init_container(
    container: Object, path: str, context: PodContext
) -> Iterator[FieldError]:
    if container.get("restartPolicy") == "Always":
        yield from validate_lifecycle(container, path, context)
        yield from validate_probes(container, path, context)
        if container.get("restartPolicyRules"):
            detail = (
                "restartPolicyRules are not allowed for init containers with restart policy Always"
            )
            yield forbidden(f"{path}.restartPolicyRules", detail)
        return
    yield from _validate_restart_policy(container, path)
    for field in _ONLY_SIDECARS:
        if container.get(field) is not None:
            detail = "may not be set for init containers without restartPolicy=Always"
            yield forbidden(f"{path}.{field}", detail)


def _validate_ephemeral_container(
    container: Object, path: str, targets: set[Any]
) -> Iterator[FieldError]:
    target = container.get("targetContainerName")
    if target and target not in targets:
        yield not_found(f"{path}.targetContainerName", target)
    for field in _NOT_EPHEMERAL:
        if container.get(field):
            yield forbidden(f"{path}.{field}", "cannot be set for an Ephemeral Container")
    for index, mount in enumerate(container.get("volumeMounts") or []):
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                where = f"{path}.volumeMounts[{index}].{field}"
                yield forbidden(where, "cannot be set for an Ephemeral Container")
