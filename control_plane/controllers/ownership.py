"""Adoption and release: which objects a controller counts as its own.

An object belongs to the owner that its controller reference names. An owner takes in objects of
its namespace that match its selector and belong to nobody, and lets go of those that no longer
match. `plan_claims` decides, `claim` acts. Before a first adoption the owner is read live, so
that an object is never tied to an owner that is gone. Source: kubernetes
pkg/controller/controller_ref_manager.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from control_plane.api.errors import ApiError, Invalid, NotFound
from control_plane.api.objects import (
    Object,
    controller_of,
    is_terminating,
    key_of,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import Resource
from control_plane.controllers.cluster import Cluster, ReconcileError

Matches = Callable[[Object], bool]


@dataclass(slots=True)
class Claims:
    """The candidates that are the owner's already, those to take in, those to let go."""

    keep: list[Object] = field(default_factory=list)
    adopt: list[Object] = field(default_factory=list)
    release: list[Object] = field(default_factory=list)


def owner_reference(owner: Object, resource: Resource) -> Object:
    """Return the reference that marks an object as controlled by `owner`."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def plan_claims(owner: Object, matches: Matches, candidates: Sequence[Object]) -> Claims:
    """Sort the candidates; those that do not concern the owner are left out."""
    claims = Claims()
    for candidate in candidates:
        reference = controller_of(candidate)
        if reference is None:
            if _may_adopt(owner, matches, candidate):
                claims.adopt.append(candidate)
        elif reference["uid"] == uid_of(owner):
            if matches(candidate):
                claims.keep.append(candidate)
            elif not is_terminating(owner):
                claims.release.append(candidate)
    return claims


def _may_adopt(owner: Object, matches: Matches, candidate: Object) -> bool:
    return not is_terminating(owner) and not is_terminating(candidate) and matches(candidate)


@dataclass(frozen=True, slots=True)
class Claimant:
    """An owner, its resource, and the resource of the objects it claims."""

    owner: Object
    resource: Resource
    children: Resource


async def claim(
    cluster: Cluster, claimant: Claimant, matches: Matches, candidates: Sequence[Object]
) -> list[Object]:
    """Adopt and release as planned and return the objects that are the owner's now.

    Everything is tried; raises ReconcileError afterwards if something failed.
    """
    claims = plan_claims(claimant.owner, matches, candidates)
    failures: list[str] = []
    if claims.adopt:
        await _check_owner(cluster, claimant)
    adopted = [await _adopt(cluster, claimant, child, failures) for child in claims.adopt]
    for child in claims.release:
        await _release(cluster, claimant, child, failures)
    if failures:
        raise ReconcileError("; ".join(failures))
    return claims.keep + [child for child in adopted if child is not None]


async def _check_owner(cluster: Cluster, claimant: Claimant) -> None:
    """Read the owner live; raises ReconcileError unless it is the same one and stays."""
    owner, resource = claimant.owner, claimant.resource
    fresh = await cluster.client.get(resource, name_of(owner), namespace_of(owner))
    if uid_of(fresh) != uid_of(owner):
        raise ReconcileError(
            f"original {resource.kind} {key_of(owner)} is gone: "
            f"got uid {uid_of(fresh)}, wanted {uid_of(owner)}"
        )
    if is_terminating(fresh):
        when = fresh["metadata"]["deletionTimestamp"]
        raise ReconcileError(f"{key_of(owner)} has just been deleted at {when}")


async def _adopt(
    cluster: Cluster, claimant: Claimant, child: Object, failures: list[str]
) -> Object | None:
    """Return the adopted child, None when it is gone or the attempt failed."""
    reference = owner_reference(claimant.owner, claimant.resource)
    try:
        return await _patch(cluster, claimant, child, reference)
    except NotFound:
        return None
    except ApiError as error:
        what = f"{claimant.children.kind} {key_of(child)} ({uid_of(child)})"
        failures.append(f"can't adopt {what}: {error.message}")
        return None


async def _release(
    cluster: Cluster, claimant: Claimant, child: Object, failures: list[str]
) -> None:
    reference = {"$patch": "delete", "uid": uid_of(claimant.owner)}
    try:
        await _patch(cluster, claimant, child, reference)
    except (NotFound, Invalid):
        return  # gone, or no longer ours: nothing to let go
    except ApiError as error:
        failures.append(error.message)


async def _patch(cluster: Cluster, claimant: Claimant, child: Object, reference: Object) -> Object:
    patch = {"metadata": {"uid": uid_of(child), "ownerReferences": [reference]}}
    return await cluster.client.patch(
        claimant.children, name_of(child), patch, namespace_of(child), kind="strategic"
    )
