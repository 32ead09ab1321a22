"""APIServices: one of each group version that is served, and the conditions of all."""

from pathlib import Path
from typing import Any

import pytest

from control_plane.api.resources import APISERVICES, RESOURCES
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from tests.control_plane.apiserver.custom_stage import (
    DEFINITIONS,
    definition,
    established,
    version,
)
from tests.control_plane.apiserver.minimal_objects import minimal_object, unused_name
from tests.control_plane.apiserver.objects import service
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ApiServer, ThreadedApiServer
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

PATH = "/apis/apiregistration.k8s.io/v1/apiservices"
MANAGED = "kube-aggregator.kubernetes.io/automanaged"


def condition(obj: Any) -> tuple[str, str, str]:
    (found,) = obj["status"]["conditions"]
    assert found["type"] == "Available"
    return found["status"], found["reason"], found["message"]


def test_every_group_version_has_one(api: RawApi) -> None:
    items = api.get(f"{PATH}?labelSelector={MANAGED}%3Donstart").json["items"]
    served = {f"{row.version}.{row.group}" for row in RESOURCES}
    assert {item["metadata"]["name"] for item in items} == served - {"v1.apiregistration.k8s.io"}
    local = ("True", "Local", "Local APIServices are always available")
    assert {condition(item) for item in items} == {local}
    autoscaling = api.get(f"{PATH}/v2.autoscaling").json["spec"]
    assert autoscaling == {
        "group": "autoscaling",
        "version": "v2",
        "groupPriorityMinimum": 17500,
        "versionPriority": 30,
    }
    assert api.get(f"{PATH}/v1.").json["spec"] == {
        "version": "v1",
        "groupPriorityMinimum": 18000,
        "versionPriority": 1,
    }


def test_kubectl_shows_them(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> None:
    kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
    row = kubectl("get", "apiservice", "v1.apps", "--no-headers").split()
    assert row[:3] == ["v1.apps", "Local", "True"]


def wait_for_condition(api: RawApi, name: str, reason: str) -> tuple[str, str, str]:
    for event in api.watch(f"{PATH}?watch=1&fieldSelector=metadata.name%3D{name}"):
        obj = event["object"]
        if obj.get("status", {}).get("conditions") and condition(obj)[1] == reason:
            return condition(obj)
    raise AssertionError("the watch has ended")


def test_the_condition_of_one_behind_a_service(api: RawApi, namespace: str) -> None:
    name = unused_name(APISERVICES)
    obj = minimal_object(APISERVICES, name, "")
    obj["spec"]["service"] = {"name": "web", "namespace": namespace, "port": 80}
    assert api.post(PATH, obj).json["status"] == {}
    missing = wait_for_condition(api, name, "ServiceNotFound")
    assert missing[::2] == ("False", f'service/web in "{namespace}" is not present')
    made = api.post(f"/api/v1/namespaces/{namespace}/services", service("web"))
    (port,) = made.json["spec"]["ports"]
    api.get("/api/v1/services")
    api.patch(f"{PATH}/{name}", {"spec": {"service": {"port": port["port"]}, "versionPriority": 9}})
    found = wait_for_condition(api, name, "EndpointsNotFound")
    place = f'service/web in "{namespace}"'
    assert found[::2] == ("False", f"cannot find endpointslices for {place}")
    api.delete(f"{PATH}/{name}")


async def test_a_start_repairs_what_it_made(etcd: Etcd, tmp_path: Path) -> None:
    async with ApiServer(etcd.endpoint, tmp_path) as server, client_of(server) as client:
        await client.delete(APISERVICES, "v1.apps")
        await client.patch(APISERVICES, "v1.batch", {"spec": {"versionPriority": 99}})
        label = {"metadata": {"labels": {MANAGED: None}}, "spec": {"versionPriority": 98}}
        await client.patch(APISERVICES, "v1.policy", label)
        stale = minimal_object(APISERVICES, "v1.gone.example.com", "")
        stale["metadata"]["labels"] = {MANAGED: "onstart"}
        await client.create(APISERVICES, stale)
    async with ApiServer(etcd.endpoint, tmp_path) as server, client_of(server) as client:
        found = {
            item["metadata"]["name"]: item["spec"]["versionPriority"]
            for item in (await client.list(APISERVICES))["items"]
        }
    assert (found["v1.apps"], found["v1.batch"]) == (15, 15)
    assert found["v1.policy"] == 98, "whoever removes the label keeps it"
    assert "v1.gone.example.com" not in found


def client_of(server: ApiServer) -> ApiClient:
    return ApiClient(ClientConfig.from_kubeconfig(server.kubeconfig))


@pytest.fixture(scope="module")
def etcd() -> Any:
    with Etcd() as running:
        yield running


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"group": "b.example.com"}, 'metadata.name: Invalid value: "v1.a.example.com": must be '
         '`spec.version+"."+spec.group`: "v1.b.example.com"'),
        ({"groupPriorityMinimum": 20001}, "spec.groupPriorityMinimum: Invalid value: 20001: must "
         "be positive and less than 20000"),
        ({"versionPriority": 0}, "spec.versionPriority: Invalid value: 0: must be positive and "
         "less than 1000"),
        ({"caBundle": "QUJD"}, 'spec.caBundle: Invalid value: "3 bytes": local APIServices may not '
         "have a caBundle"),
        ({"insecureSkipTLSVerify": True}, "spec.insecureSkipTLSVerify: Invalid value: true: local "
         "APIServices may not have insecureSkipTLSVerify"),
        ({"service": {"name": "s"}}, "spec.service.namespace: Required value"),
        ({"service": {"name": "s", "namespace": "n", "port": 70000}}, "spec.service.port: Invalid "
         "value: 70000: port is not valid: must be between 1 and 65535, inclusive"),
    ],
)  # fmt: skip
def test_api_services_that_make_no_sense(api: RawApi, spec: dict[str, Any], error: str) -> None:
    obj = minimal_object(APISERVICES, "v1.a.example.com", "")
    obj["spec"] |= spec
    answer = api.post(f"{PATH}?dryRun=All", obj)
    assert answer.code == 422
    assert answer.message == (
        f'APIService.apiregistration.k8s.io "v1.a.example.com" is invalid: {error}'
    )


def test_groups_of_custom_resources_have_one_while_they_are_served(
    api: RawApi, namespace: str
) -> None:
    with established(api, namespace, definition(version(), version("v2", storage=False))) as foos:
        first, second = (f"{PATH}/{name}.{foos.group}" for name in ("v1", "v2"))
        wait_until(lambda: api.get(second).code == 200, "v2 has one")
        found = api.get(first).json
        assert found["metadata"]["labels"] == {MANAGED: "true"}
        assert condition(found) == ("True", "Local", "Local APIServices are always available")
        assert found["spec"] == {
            "group": foos.group,
            "version": "v1",
            "groupPriorityMinimum": 1000,
            "versionPriority": 100,
        }
        assert api.delete(first).code == 200
        wait_until(lambda: api.get(first).code == 200, "it is made again")
        assert api.patch(first, {"spec": {"versionPriority": 5}}).code == 200
        wait_until(
            lambda: api.get(first).json["spec"]["versionPriority"] == 100, "it is right again"
        )
        changed = foos.definition()
        changed["spec"]["versions"][1]["served"] = False
        assert api.put(f"{DEFINITIONS}/{foos.name}", changed).code == 200
        wait_until(lambda: api.get(second).code == 404, "v2 has none")
        assert api.get(first).code == 200
    wait_until(lambda: api.get(first).code == 404, "the group has none")
