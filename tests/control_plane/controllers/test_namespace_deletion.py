"""Namespaces against a real API server: their accounts and certificates, and their deletion."""

import asyncio

import pytest

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, dig, find_condition, is_terminating, name_of
from control_plane.api.resources import (
    CONFIGMAPS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    Resource,
)
from tests.control_plane.controllers.stage import SECONDS, Stage
from tests.control_plane.controllers.workloads import deployment, pod, service

CA = "kube-root-ca.crt"


async def appears(stage: Stage, resource: Resource, name: str, namespace: str) -> Object:
    """Wait for an object by a watch from the collection's present version."""
    async with asyncio.timeout(SECONDS):
        listed = await stage.client.list(resource, namespace)
        for found in listed["items"]:
            if name_of(found) == name:
                return dict(found)
        version = listed["metadata"]["resourceVersion"]
        async for event in stage.client.watch(resource, namespace, resource_version=version):
            if event["type"] == "ADDED" and name_of(event["object"]) == name:
                return dict(event["object"])
    raise AssertionError(f"{resource.plural} {namespace}/{name} did not appear")


async def test_new_namespace_gets_account_and_ca_and_gets_them_back(stage: Stage) -> None:
    await stage.namespace("furnished")
    account = await appears(stage, SERVICEACCOUNTS, "default", "furnished")
    published = await appears(stage, CONFIGMAPS, CA, "furnished")
    assert published["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")

    await stage.client.delete(SERVICEACCOUNTS, "default", "furnished")
    await stage.client.delete(CONFIGMAPS, CA, "furnished")

    again = await appears(stage, SERVICEACCOUNTS, "default", "furnished")
    assert again["metadata"]["uid"] != account["metadata"]["uid"]
    assert (await appears(stage, CONFIGMAPS, CA, "furnished"))["data"] == published["data"]


@pytest.mark.conformance(
    "[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace "
    "[Conformance]"
)
async def test_service_accounts_should_guarantee_kube_root_ca_exist_in_any_namespace(
    stage: Stage,
) -> None:
    await stage.namespace("svcaccounts")
    published = await appears(stage, CONFIGMAPS, CA, "svcaccounts")
    await stage.client.delete(CONFIGMAPS, CA, "svcaccounts")
    again = await appears(stage, CONFIGMAPS, CA, "svcaccounts")
    assert again["metadata"]["uid"] != published["metadata"]["uid"]
    spoilt = {"data": {"ca.crt": "", "other": "x"}}
    await stage.client.patch(CONFIGMAPS, CA, spoilt, "svcaccounts")
    async with asyncio.timeout(SECONDS):
        while True:
            found = await stage.client.get(CONFIGMAPS, CA, "svcaccounts")
            if found["data"] == published["data"]:
                break
            await asyncio.sleep(0.05)


async def test_deleted_namespace_goes_with_all_it_holds(stage: Stage) -> None:
    await stage.namespace("doomed")
    await stage.client.create(DEPLOYMENTS, deployment("doomed", replicas=2))
    meta = {"name": "s", "namespace": "doomed"}
    await stage.client.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": meta})
    await stage.until(lambda: len(stage.list(PODS, "doomed")) == 2, "two pods")

    await stage.client.delete(NAMESPACES, "doomed")

    await stage.until(lambda: stage.get(NAMESPACES, "doomed") is None, "the namespace gone")
    for resource in (PODS, DEPLOYMENTS, SECRETS, CONFIGMAPS, SERVICEACCOUNTS):
        assert (await stage.client.list(resource, "doomed"))["items"] == []


async def remade(stage: Stage, namespace: str) -> None:
    """Delete a namespace and make it again."""
    await stage.client.delete(NAMESPACES, namespace)
    await stage.until(lambda: stage.get(NAMESPACES, namespace) is None, "the namespace gone")
    await stage.namespace(namespace)


@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should ensure that all pods are removed when a "
    "namespace is deleted [Conformance]",
)
async def test_should_ensure_that_all_pods_are_removed_when_a_namespace_is_deleted(
    stage: Stage,
) -> None:
    await stage.namespace("of-pods")
    await appears(stage, SERVICEACCOUNTS, "default", "of-pods")
    await stage.client.create(PODS, pod("of-pods", "one"))
    await stage.until(
        lambda: dig(stage.get(PODS, "of-pods/one") or {}, "status", "phase") == "Running",
        "a running pod",
    )
    await remade(stage, "of-pods")
    with pytest.raises(NotFound):
        await stage.client.get(PODS, "one", "of-pods")


@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should ensure that all services are removed when a "
    "namespace is deleted [Conformance]",
)
async def test_should_ensure_that_all_services_are_removed_when_a_namespace_is_deleted(
    stage: Stage,
) -> None:
    await stage.namespace("of-services")
    made = await stage.client.create(SERVICES, service("of-services", "one"))
    await remade(stage, "of-services")
    with pytest.raises(NotFound):
        await stage.client.get(SERVICES, "one", "of-services")
    address = {"clusterIP": made["spec"]["clusterIP"]}
    again = await stage.client.create(SERVICES, service("of-services", "two", **address))
    assert again["spec"]["clusterIP"] == made["spec"]["clusterIP"]  # it is free again


@pytest.mark.conformance(
    "[sig-api-machinery] OrderedNamespaceDeletion namespace deletion should delete pod first "
    "[Conformance]",
)
async def test_namespace_deletion_should_delete_pod_first(stage: Stage) -> None:
    await stage.namespace("held")
    held = pod("held", "held", finalizers=["example.com/hold"])
    await stage.client.create(PODS, held)
    meta = {"name": "kept", "namespace": "held"}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    await stage.client.create(CONFIGMAPS, config_map)

    await stage.client.delete(NAMESPACES, "held")

    def reported() -> bool:
        found = stage.get(NAMESPACES, "held") or {}
        remaining = find_condition(found, "NamespaceFinalizersRemaining") or {}
        return remaining.get("status") == "True" and len(found["status"]["conditions"]) == 5

    await stage.until(reported, "the finalizer in the conditions")
    found = stage.get(NAMESPACES, "held")
    assert found is not None
    assert dig(found, "status", "phase") == "Terminating"
    condition = find_condition(found, "NamespaceFinalizersRemaining")
    assert condition is not None
    assert condition["message"].endswith("example.com/hold in 1 resource instances")
    assert is_terminating(await stage.client.get(PODS, "held", "held"))
    assert not is_terminating(await stage.client.get(CONFIGMAPS, "kept", "held"))

    await stage.client.patch(PODS, "held", {"metadata": {"finalizers": None}}, "held")
    await stage.until(lambda: stage.get(NAMESPACES, "held") is None, "the namespace gone")


async def test_foreign_finalizer_keeps_an_empty_namespace(stage: Stage) -> None:
    meta = {"name": "foreign", "finalizers": ["example.com/hold"]}
    await stage.client.create(
        NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    )

    await stage.client.delete(NAMESPACES, "foreign")

    def emptied() -> bool:
        found = stage.get(NAMESPACES, "foreign") or {}
        return is_terminating(found) and not dig(found, "spec", "finalizers")

    await stage.until(emptied, "our own finalizer gone")
    await stage.client.patch(NAMESPACES, "foreign", {"metadata": {"finalizers": None}})
    await stage.until(lambda: stage.get(NAMESPACES, "foreign") is None, "the namespace gone")
