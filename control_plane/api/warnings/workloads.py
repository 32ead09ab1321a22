"""Warnings of pods and of what makes pods.

A template is looked at when it is new, and when an update made a new generation. Called through the
WARNINGS table. Source: v1.35 registry strategies of core, apps and batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import dig, name_of
from control_plane.api.validation import formats
from control_plane.api.warnings.addresses import warn_of_address
from control_plane.api.warnings.containers import warn_of_fractions
from control_plane.api.warnings.pod_specs import warn_of_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

MANY_COMPLETIONS: Final = 100_000
MANY_AT_ONCE: Final = 10_000
_RECOMMENDED: Final = "which can result in surprising behavior; a DNS label is recommended: "
_TEMPLATE: Final = ("spec", "template")
_JOB: Final = ("spec", "jobTemplate", "spec")


def warn_of_new_pod(pod: Object) -> Iterator[str]:
    """Warn of a new pod."""
    messages = formats.dns1123_label(name_of(pod))
    if messages:
        used = "metadata.name: this is used in the Pod's hostname"
        yield f"{used}, {_RECOMMENDED}[{' '.join(messages)}]"
    yield from warn_of_pod(pod)


def warn_of_pod_status(new: Object, _old: Object) -> Iterator[str]:
    """Warn of the addresses in the status of a pod."""
    for field in ("podIPs", "hostIPs"):
        for index, address in enumerate(dig(new, "status", field, default=())):
            yield from warn_of_address(address.get("ip") or "", f"status.{field}[{index}].ip")


def _warn_of_name(owner: Object) -> Iterator[str]:
    messages = formats.dns1123_label(name_of(owner))
    if messages:
        used = "metadata.name: this is used in Pod names and hostnames"
        yield f"{used}, {_RECOMMENDED}[{' '.join(messages)}]"


def _is_new_generation(new: Object, old: Object) -> bool:
    return bool(dig(new, "metadata", "generation") != dig(old, "metadata", "generation"))


def _warn_of_template(owner: Object, *path: str) -> Iterator[str]:
    yield from warn_of_pod(dig(owner, *path, default={}), f"{'.'.join(path)}.")


def warn_of_new_controller(controller: Object) -> Iterator[str]:
    """Warn of a new Deployment, ReplicaSet or ReplicationController."""
    yield from _warn_of_name(controller)
    yield from _warn_of_template(controller, *_TEMPLATE)


def warn_of_new_template(owner: Object) -> Iterator[str]:
    """Warn of a new DaemonSet."""
    yield from _warn_of_template(owner, *_TEMPLATE)


def warn_of_changed_template(new: Object, old: Object) -> Iterator[str]:
    """Warn of an update of one of these."""
    if _is_new_generation(new, old):
        yield from _warn_of_template(new, *_TEMPLATE)


def warn_of_new_pod_template(template: Object) -> Iterator[str]:
    """Warn of a new PodTemplate."""
    yield from _warn_of_template(template, "template")


def warn_of_changed_pod_template(new: Object, old: Object) -> Iterator[str]:
    """Warn of an update of a PodTemplate."""
    if _is_new_generation(new, old):
        yield from _warn_of_template(new, "template")


def warn_of_new_stateful_set(stateful_set: Object) -> Iterator[str]:
    """Warn of a new StatefulSet."""
    yield from _warn_of_template(stateful_set, *_TEMPLATE)
    yield from _warn_of_set(stateful_set)


def warn_of_changed_stateful_set(new: Object, old: Object) -> Iterator[str]:
    """Warn of an update of a StatefulSet."""
    yield from warn_of_changed_template(new, old)
    yield from _warn_of_set(new)


def _warn_of_set(stateful_set: Object) -> Iterator[str]:
    spec = stateful_set.get("spec") or {}
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        resources = dig(claim, "spec", "resources", default={})
        path = f"spec.volumeClaimTemplates[{index}].Spec.resources"  # upstream's capital
        for field in ("requests", "limits"):
            yield from warn_of_fractions(resources.get(field), ("storage",), f"{path}.{field}")
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        yield (
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value "
            ">= 0 is recommended"
        )


def warn_of_new_job(job: Object) -> Iterator[str]:
    """Warn of a new Job."""
    yield from _warn_of_name(job)
    yield from _warn_of_job(job, "spec")


def warn_of_changed_job(new: Object, old: Object) -> Iterator[str]:
    """Warn of an update of a Job."""
    if _is_new_generation(new, old):
        yield from _warn_of_job(new, "spec")


def _warn_of_job(owner: Object, *path: str) -> Iterator[str]:
    spec = dig(owner, *path, default={})
    completions, at_once = spec.get("completions") or 0, spec.get("parallelism") or 0
    is_indexed = spec.get("completionMode") == "Indexed"
    if is_indexed and completions > MANY_COMPLETIONS and at_once > MANY_AT_ONCE:
        yield (
            f"{'.'.join(path)}: In Indexed Jobs with a number of completions higher than 10^5 and "
            "a parallelism higher than 10^4, Kubernetes might not be able to track "
            "completedIndexes when a big number of indexes fail"
        )
    yield from _warn_of_template(owner, *path, "template")


def warn_of_new_cron_job(cron_job: Object) -> Iterator[str]:
    """Warn of a new CronJob."""
    yield from _warn_of_name(cron_job)
    yield from _warn_of_job(cron_job, *_JOB)


def warn_of_changed_cron_job(new: Object, old: Object) -> Iterator[str]:
    """Warn of an update of a CronJob, whose schedule may have had a time zone of its own."""
    if "TZ" in dig(new, "spec", "schedule", default=""):
        yield (
            "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
            "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
        )
    if _is_new_generation(new, old):
        yield from _warn_of_job(new, *_JOB)
