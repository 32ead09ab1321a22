"""Rules of deployments, replica sets and replication controllers.

Called through the VALIDATORS table. Source: v1.35 apps/v1 and core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api import label_selector
from control_plane.api.internal_form import internal_form
from control_plane.api.validation.controlled_pods import (
    amount_of_share,
    validate_controlled_template,
    validate_replicas,
    validate_selected_template_labels,
    validate_selector_kept,
    validate_share,
    validate_share_below_whole,
)
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    non_negative,
    not_supported,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object


def _validate_selected_template(spec: Object) -> Iterator[FieldError]:
    """Check the selector of a Deployment or ReplicaSet, and the template against it."""
    fit = yield from validate_selected_template_labels(
        spec, "empty selector is invalid for deployment", "invalid label selector"
    )
    if fit is not None:
        yield from validate_controlled_template(spec.get("template") or {}, fit, "ReplicaSet")


def validate_deployment(deployment: Object) -> Iterator[FieldError]:
    """Check a Deployment."""
    spec = deployment.get("spec") or {}
    yield from non_negative("spec.replicas", spec.get("replicas"))
    yield from _validate_selected_template(spec)
    yield from _validate_strategy(spec.get("strategy") or {}, "spec.strategy")
    yield from non_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from non_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        yield from non_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= (spec.get("minReadySeconds") or 0):
            detail = "must be greater than minReadySeconds"
            yield invalid("spec.progressDeadlineSeconds", deadline, detail)


def _validate_strategy(strategy: Object, path: str) -> Iterator[FieldError]:
    kind = strategy.get("type") or ""
    rolling = strategy.get("rollingUpdate")
    if kind not in ("Recreate", "RollingUpdate"):
        shown = internal_form("DeploymentStrategy", strategy)
        yield not_supported(path, shown, ("Recreate", "RollingUpdate"))
    elif kind == "Recreate":
        if rolling is not None:
            detail = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden(f"{path}.rollingUpdate", detail)
    elif rolling is None:
        yield required(f"{path}.rollingUpdate", "this should be defaulted and never be nil")
    else:
        yield from _validate_rolling(rolling, f"{path}.rollingUpdate")


def _validate_rolling(rolling: Object, path: str) -> Iterator[FieldError]:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    yield from validate_share(unavailable, f"{path}.maxUnavailable")
    yield from validate_share(surge, f"{path}.maxSurge")
    if amount_of_share(unavailable) == 0 and amount_of_share(surge) == 0:
        detail = "may not be 0 when `maxSurge` is 0"
        yield invalid(f"{path}.maxUnavailable", unavailable, detail)
    yield from validate_share_below_whole(unavailable, f"{path}.maxUnavailable")


def validate_deployment_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a Deployment."""
    yield from validate_deployment(new)
    yield from validate_selector_kept(new, old)


def validate_replica_set(replica_set: Object) -> Iterator[FieldError]:
    """Check a ReplicaSet."""
    spec = replica_set.get("spec") or {}
    yield from validate_replicas(spec)
    yield from _validate_selected_template(spec)


def validate_replica_set_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a ReplicaSet."""
    yield from validate_replica_set(new)
    yield from validate_selector_kept(new, old)


def validate_replication_controller(controller: Object) -> Iterator[FieldError]:
    """Check a ReplicationController, whose selector is a plain map."""
    spec = controller.get("spec") or {}
    yield from validate_replicas(spec)
    selector = spec.get("selector") or {}
    if not selector:
        yield required("spec.selector")
    if spec.get("replicas") is None:
        yield required("spec.replicas")
    template = spec.get("template")
    if template is None:
        yield required("spec.template")
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    matches = not selector or label_selector.from_map(selector).matches(labels)
    yield from validate_controlled_template(template, matches, "ReplicationController")


def validate_replicas_status(new: Object, old: Object) -> Iterator[FieldError]:
    """Check the counts in a controller's status."""
    status, stored = new.get("status") or {}, old.get("status") or {}
    total = status.get("replicas") or 0
    counts = ("replicas", "fullyLabeledReplicas", "updatedReplicas", "readyReplicas",
              "availableReplicas", "unavailableReplicas")  # fmt: skip
    for field in (*counts, "observedGeneration"):
        yield from non_negative(f"status.{field}", status.get(field))
    for field in ("fullyLabeledReplicas", "updatedReplicas", "readyReplicas", "availableReplicas"):
        if (status.get(field) or 0) > total:
            detail = "cannot be greater than status.replicas"
            yield invalid(f"status.{field}", status.get(field), detail)
    if (status.get("availableReplicas") or 0) > (status.get("readyReplicas") or 0):
        detail = "cannot be greater than readyReplicas"
        yield invalid("status.availableReplicas", status.get("availableReplicas"), detail)
    before = stored.get("collisionCount")
    if before is not None and (status.get("collisionCount") or 0) < before:
        shown = status.get("collisionCount")
        yield invalid("status.collisionCount", shown, "cannot be decremented")
