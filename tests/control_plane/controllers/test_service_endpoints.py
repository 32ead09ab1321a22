"""Endpoints and EndpointSlices against a real API server, over the life of a service."""

from typing import Any

from control_plane.api.objects import dig, labels_of, name_of
from control_plane.api.resources import DEPLOYMENTS, ENDPOINTS, ENDPOINTSLICES, SERVICES
from tests.control_plane.controllers.stage import BROKEN, Stage
from tests.control_plane.controllers.workloads import deployment, service


def endpoint_ips(stage: Stage, namespace: str, field: str = "addresses") -> set[str]:
    found = stage.get(ENDPOINTS, f"{namespace}/web") or {}
    subsets = dig(found, "subsets", default=[])
    return {address["ip"] for subset in subsets for address in subset.get(field, [])}


def slice_ips(stage: Stage, namespace: str, *, ready: bool = True) -> set[str]:
    return {
        endpoint["addresses"][0]
        for found in stage.list(ENDPOINTSLICES, namespace)
        for endpoint in found.get("endpoints") or []
        if endpoint["conditions"]["ready"] == ready
    }


async def serve(stage: Stage, namespace: str, **spec: Any) -> None:
    await stage.namespace(namespace)
    await stage.client.create(SERVICES, service(namespace, **spec))


async def test_service_gets_the_addresses_of_its_pods(stage: Stage) -> None:
    await serve(stage, "served")
    await stage.client.create(DEPLOYMENTS, deployment("served", replicas=3))

    await stage.until(lambda: len(endpoint_ips(stage, "served")) == 3, "three addresses")
    await stage.until(
        lambda: slice_ips(stage, "served") == endpoint_ips(stage, "served"), "equal addresses"
    )

    found = stage.get(ENDPOINTS, "served/web")
    assert found is not None
    assert found["subsets"][0]["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert found["subsets"][0]["addresses"][0]["targetRef"]["kind"] == "Pod"
    assert labels_of(found)["team"] == "a"
    (one,) = stage.list(ENDPOINTSLICES, "served")
    assert labels_of(one)["kubernetes.io/service-name"] == "web"
    assert one["endpoints"][0]["zone"] == "zone-1"
    assert one["metadata"]["ownerReferences"][0]["name"] == "web"


async def test_addresses_follow_the_pods(stage: Stage) -> None:
    await serve(stage, "followed")
    await stage.client.create(DEPLOYMENTS, deployment("followed", replicas=3))
    await stage.until(lambda: len(slice_ips(stage, "followed")) == 3, "three addresses")
    (before,) = stage.list(ENDPOINTSLICES, "followed")

    patch = {"spec": {"replicas": 1}}
    await stage.client.patch(DEPLOYMENTS, "web", patch, "followed")

    await stage.until(
        lambda: len(slice_ips(stage, "followed")) == len(endpoint_ips(stage, "followed")) == 1,
        "one address",
    )
    (after,) = stage.list(ENDPOINTSLICES, "followed")
    assert name_of(after) == name_of(before)


async def test_pods_that_are_not_ready_are_listed_apart(stage: Stage) -> None:
    await serve(stage, "waiting")
    await stage.client.create(DEPLOYMENTS, deployment("waiting", replicas=2, image=BROKEN))

    await stage.until(
        lambda: len(endpoint_ips(stage, "waiting", "notReadyAddresses")) == 2, "two waiting"
    )
    await stage.until(lambda: len(slice_ips(stage, "waiting", ready=False)) == 2, "two waiting")
    assert endpoint_ips(stage, "waiting") == slice_ips(stage, "waiting") == set()


async def test_headless_service_may_publish_pods_that_are_not_ready(stage: Stage) -> None:
    await serve(stage, "published", clusterIP="None", publishNotReadyAddresses=True)
    await stage.client.create(DEPLOYMENTS, deployment("published", replicas=2, image=BROKEN))

    await stage.until(lambda: len(endpoint_ips(stage, "published")) == 2, "two addresses")
    await stage.until(lambda: len(slice_ips(stage, "published")) == 2, "two addresses")
    found = stage.get(ENDPOINTS, "published/web")
    assert found is not None
    assert labels_of(found)["service.kubernetes.io/headless"] == ""


async def test_service_without_pods_has_empty_endpoints_and_loses_them_with_itself(
    stage: Stage,
) -> None:
    await serve(stage, "empty")
    await stage.until(lambda: stage.get(ENDPOINTS, "empty/web"), "empty Endpoints")
    (one,) = await stage.until(lambda: stage.list(ENDPOINTSLICES, "empty"), "an empty slice")
    assert not one.get("endpoints")

    await stage.client.delete(SERVICES, "web", "empty")

    await stage.until(
        lambda: not stage.list(ENDPOINTS, "empty") and not stage.list(ENDPOINTSLICES, "empty"),
        "both gone",
    )


async def test_endpoints_of_a_service_without_selector_are_the_users(stage: Stage) -> None:
    await stage.namespace("manual")
    meta = {"name": "web", "namespace": "manual"}
    mine = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": meta,
        "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}],
    }
    await stage.client.create(ENDPOINTS, mine)
    await stage.client.create(SERVICES, service("manual", selector=None))
    await stage.client.create(SERVICES, service("manual", name="marker"))

    await stage.until(lambda: stage.get(ENDPOINTS, "manual/marker"), "the other service's")

    assert endpoint_ips(stage, "manual") == {"192.0.2.1"}
