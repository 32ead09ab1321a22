"""Claims and volumes that are deleted: they go when nobody uses them."""

import asyncio
from typing import Any

import pytest

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, finalizers_of, is_terminating
from control_plane.api.resources import (
    NAMESPACES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    Resource,
)
from control_plane.controllers.storage_protection import claims_of, uses
from tests.control_plane.controllers.stage import NODE, SECONDS, Stage
from tests.control_plane.controllers.workloads import pod

CLAIM, VOLUME = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"


def claim(namespace: str, name: str = "c", **metadata: Any) -> Object:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": name, "namespace": namespace, **metadata}
    return {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec,
    }  # fmt: skip


def volume(name: str) -> Object:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/nowhere"},
    }
    return {
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec,
    }  # fmt: skip


def using(namespace: str, name: str, source: Object, node: str = NODE, **metadata: Any) -> Object:
    made = pod(namespace, name, **metadata)
    made["spec"] |= {"nodeName": node, "volumes": [{"name": "v", **source}]}
    return made


async def gone(stage: Stage, resource: Resource, name: str, namespace: str = "") -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await stage.client.get(resource, name, namespace or None)
            except NotFound:
                return
            await asyncio.sleep(0.05)


async def test_a_claim_goes_with_the_last_pod_that_uses_it(stage: Stage) -> None:
    await stage.namespace("claims")
    made = await stage.client.create(PERSISTENTVOLUMECLAIMS, claim("claims"))
    assert finalizers_of(made) == [CLAIM]
    source = {"persistentVolumeClaim": {"claimName": "c"}}
    user = using("claims", "user", source, finalizers=["example.com/held"])
    await stage.client.create(PODS, user)
    await stage.client.delete(PERSISTENTVOLUMECLAIMS, "c", "claims")
    # another one that nobody uses is through when this one has been looked at
    await stage.client.create(PERSISTENTVOLUMECLAIMS, claim("claims", "free"))
    await stage.client.delete(PERSISTENTVOLUMECLAIMS, "free", "claims")
    await gone(stage, PERSISTENTVOLUMECLAIMS, "free", "claims")
    assert is_terminating(await stage.client.get(PERSISTENTVOLUMECLAIMS, "c", "claims"))

    await stage.client.delete(PODS, "user", "claims", options={"gracePeriodSeconds": 0})
    await stage.client.patch(PODS, "user", {"metadata": {"finalizers": None}}, "claims")
    await gone(stage, PERSISTENTVOLUMECLAIMS, "c", "claims")


async def test_a_namespace_goes_with_its_claims(stage: Stage) -> None:
    await stage.namespace("with-claims")
    await stage.client.create(PERSISTENTVOLUMECLAIMS, claim("with-claims"))
    await stage.client.delete(NAMESPACES, "with-claims")
    await stage.until(lambda: stage.get(NAMESPACES, "with-claims") is None, "the namespace gone")


async def test_a_volume_goes_when_it_is_bound_to_no_claim(stage: Stage) -> None:
    await stage.client.create(PERSISTENTVOLUMES, volume("protected"))
    bound: Object = {"status": {"phase": "Bound"}}
    await stage.client.patch(PERSISTENTVOLUMES, "protected", bound, subresource="status")
    await stage.client.delete(PERSISTENTVOLUMES, "protected")
    await stage.client.create(PERSISTENTVOLUMES, volume("free"))
    await stage.client.delete(PERSISTENTVOLUMES, "free")
    await gone(stage, PERSISTENTVOLUMES, "free")
    held = await stage.client.get(PERSISTENTVOLUMES, "protected")
    assert (is_terminating(held), finalizers_of(held)) == (True, [VOLUME])

    released: Object = {"status": {"phase": "Released"}}
    await stage.client.patch(PERSISTENTVOLUMES, "protected", released, subresource="status")
    await gone(stage, PERSISTENTVOLUMES, "protected")


async def test_what_lost_its_finalizer_gets_it_back(stage: Stage) -> None:
    await stage.namespace("unprotected")
    await stage.client.create(PERSISTENTVOLUMECLAIMS, claim("unprotected"))
    without = {"metadata": {"finalizers": None}}
    await stage.client.patch(PERSISTENTVOLUMECLAIMS, "c", without, "unprotected")
    async with asyncio.timeout(SECONDS):
        found: Object = {}
        while finalizers_of(found) != [CLAIM]:
            await asyncio.sleep(0.05)
            found = await stage.client.get(PERSISTENTVOLUMECLAIMS, "c", "unprotected")


EPHEMERAL: Object = {"ephemeral": {"volumeClaimTemplate": {}}}
OWNED = claim("n", "p-v", ownerReferences=[{"uid": "u", "controller": True}])
ENDING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("user", "wanted", "is_used"),
    [
        (using("n", "p", {"persistentVolumeClaim": {"claimName": "c"}}), claim("n"), True),
        (using("n", "p", {"persistentVolumeClaim": {"claimName": "d"}}), claim("n"), False),
        (using("n", "p", {"persistentVolumeClaim": {"claimName": "c"}}, ""), claim("n"), False),
        (using("n", "p", EPHEMERAL, uid="u"), OWNED, True),
        (using("n", "p", EPHEMERAL, uid="other"), OWNED, False),
        (using("n", "p", EPHEMERAL, uid="u", **ENDING, deletionGracePeriodSeconds=30), OWNED, True),
        (using("n", "p", EPHEMERAL, uid="u", **ENDING, deletionGracePeriodSeconds=0), OWNED, False),
    ],
)  # fmt: skip
def test_which_pods_use_a_claim(user: Object, wanted: Object, is_used: bool) -> None:
    assert uses(user, wanted) == is_used


def test_the_claims_that_a_pod_names() -> None:
    assert claims_of(using("n", "p", EPHEMERAL)) == {"n/p-v"}
    assert claims_of(pod("n", "p")) == set()
