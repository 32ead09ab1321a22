"""Real clients: the official Python client, and kubectl, which speaks protobuf on creates."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as typed_client
from kubernetes import config as typed_config
from kubernetes import watch as typed_watch

from control_plane.api.openapi.operations import camel_group
from control_plane.api.resources import RESOURCES, Resource
from tests.control_plane.apiserver.minimal_objects import minimal_object, unused_name
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

# Half of the package is untyped and every field may be None: its types say nothing here.
client: Any = typed_client
config: Any = typed_config
watch: Any = typed_watch
KUBECTL = Path(sys.executable).parent / "kubectl"


@pytest.fixture
def official(server: ThreadedApiServer) -> Iterator[Any]:
    configured = config.new_client_from_config(str(server.kubeconfig))
    yield configured
    configured.rest_client.pool_manager.clear()
    configured.close()


def test_official_client_lives_through_all_verbs(official: Any, namespace: str) -> None:
    core = client.CoreV1Api(official)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a"), data={"x": "1"})
    made = core.create_namespaced_config_map(namespace, body)
    made.data = {"x": "2"}
    core.replace_namespaced_config_map("a", namespace, made)
    core.patch_namespaced_config_map("a", namespace, {"data": {"y": "3"}})
    assert core.read_namespaced_config_map("a", namespace).data == {"x": "2", "y": "3"}
    assert [item.metadata.name for item in core.list_namespaced_config_map(namespace).items] == [
        "a"
    ]
    with pytest.raises(client.ApiException) as conflict:
        core.replace_namespaced_config_map("a", namespace, made)
    assert conflict.value.status == 409
    core.delete_namespaced_config_map("a", namespace)
    with pytest.raises(client.ApiException) as missing:
        core.read_namespaced_config_map("a", namespace)
    assert json.loads(missing.value.body)["reason"] == "NotFound"


STORED = [row for row in RESOURCES if row.is_stored]


def method_name(kind: str) -> str:
    """What the generated client calls a kind: "csi_storage_capacity"."""
    apart = re.sub("([A-Z]+)([A-Z][a-z])", r"\1_\2", kind)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", apart).lower()


@pytest.mark.parametrize("resource", STORED, ids=lambda row: f"{row.plural}-{row.version}")
def test_official_client_reads_what_is_answered_for_every_kind(
    official: Any, api: RawApi, namespace: str, resource: Resource
) -> None:
    name = unused_name(resource)
    made = api.post(resource.path(namespace), minimal_object(resource, name, namespace))
    assert made.code == 201, made.text
    version = resource.version.title()
    typed = getattr(client, f"{camel_group(resource.group)}{version}Api")(official)
    place = (name, namespace) if resource.namespaced else (name,)
    named = (
        f"namespaced_{method_name(resource.kind)}"
        if resource.namespaced
        else (method_name(resource.kind))
    )
    assert getattr(typed, f"read_{named}")(*place).metadata.name == name
    listed = getattr(typed, f"list_{named}")(*place[1:], field_selector=f"metadata.name={name}")
    assert [item.metadata.name for item in listed.items] == [name]
    getattr(typed, f"delete_{named}")(*place, propagation_policy="Background")


def test_official_client_reads_what_no_controller_has_seen_yet(
    official: Any, namespace: str
) -> None:
    labels = {"app": "a"}
    meta, selector = client.V1ObjectMeta(name="a"), client.V1LabelSelector(match_labels=labels)
    budget = client.V1PodDisruptionBudget(
        metadata=meta, spec=client.V1PodDisruptionBudgetSpec(selector=selector, min_available=1)
    )
    pods = client.V1PodSpec(containers=[client.V1Container(name="c", image="busybox")])
    template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels), spec=pods)
    wanted: dict[str, Any] = {"selector": selector, "template": template}
    apps, policy = client.AppsV1Api(official), client.PolicyV1Api(official)
    made = policy.create_namespaced_pod_disruption_budget(namespace, budget)
    assert made.status.disruptions_allowed == 0
    many = client.V1ReplicaSet(metadata=meta, spec=client.V1ReplicaSetSpec(**wanted))
    assert apps.create_namespaced_replica_set(namespace, many).status.replicas == 0
    each = client.V1DaemonSet(metadata=meta, spec=client.V1DaemonSetSpec(**wanted))
    assert apps.create_namespaced_daemon_set(namespace, each).status.number_ready == 0
    stable = client.V1StatefulSetSpec(service_name="a", **wanted)
    numbered = client.V1StatefulSet(metadata=meta, spec=stable)
    assert apps.create_namespaced_stateful_set(namespace, numbered).status.replicas == 0


def test_official_client_watches(official: Any, namespace: str) -> None:
    core = client.CoreV1Api(official)
    for name in ("a", "b"):
        meta = client.V1ObjectMeta(name=name)
        core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta))
    stream = watch.Watch()
    seen = []
    for event in stream.stream(core.list_namespaced_config_map, namespace, timeout_seconds=60):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 2:
            stream.stop()
    assert seen == [("ADDED", "a"), ("ADDED", "b")]


def test_official_client_scales_and_evaluates(official: Any, namespace: str) -> None:
    apps = client.AppsV1Api(official)
    labels = {"app": "web"}
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels),
        spec=client.V1PodSpec(containers=[client.V1Container(name="c", image="busybox")]),
    )
    spec = client.V1DeploymentSpec(
        selector=client.V1LabelSelector(match_labels=labels), template=template
    )
    made = client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec)
    apps.create_namespaced_deployment(namespace, made)
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    assert apps.read_namespaced_deployment_scale("web", namespace).spec.replicas == 3


class Kubectl:
    """kubectl with its cache in a directory of the test."""

    def __init__(self, kubeconfig: Path, home: Path, namespace: str) -> None:
        self._command = [str(KUBECTL), f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"]
        self._env = {**os.environ, "HOME": str(home)}

    def __call__(self, *args: str, stdin: str = "") -> str:
        done = subprocess.run(
            [*self._command, *args], input=stdin, env=self._env, text=True,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{args}: {done.stderr}"
        return done.stdout

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "-o", "json"))


@pytest.fixture
def kubectl(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path, namespace)


def test_kubectl_creates_and_scales(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=busybox", "--replicas=3", "--port=80")
    assert kubectl.json("get", "deploy", "web")["spec"]["replicas"] == 3
    kubectl("scale", "deployment/web", "--replicas=5")
    kubectl("set", "image", "deployment/web", "busybox=busybox:2")
    made = kubectl.json("get", "deploy", "web")
    assert made["spec"]["replicas"] == 5
    assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "busybox:2"
    kubectl("expose", "deployment/web")
    assert kubectl.json("get", "service", "web")["spec"]["selector"] == {"app": "web"}
    assert kubectl("get", "all").count("web") >= 2
    wide = kubectl("get", "deploy", "-o", "wide").splitlines()
    assert wide[0].split() == [
        "NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR",
    ]  # fmt: skip
    kubectl("delete", "deployment,service", "web")


@pytest.mark.parametrize(
    ("arguments", "kind", "data"),
    [
        (["configmap", "a", "--from-literal=x=1"], "configmap", {"data": {"x": "1"}}),
        (["secret", "generic", "a", "--from-literal=x=1"], "secret", {"data": {"x": "MQ=="}}),
        (["service", "clusterip", "a", "--tcp=80:8080"], "service", {}),
        (["serviceaccount", "a"], "serviceaccount", {}),
    ],
)
def test_kubectl_create(
    kubectl: Kubectl, arguments: list[str], kind: str, data: dict[str, Any]
) -> None:
    kubectl("create", *arguments)
    made = kubectl.json("get", kind, "a")
    assert {key: made[key] for key in data} == data
    assert made["metadata"].keys() <= {
        "creationTimestamp", "labels", "name", "namespace", "resourceVersion", "uid",
    }  # fmt: skip


def test_kubectl_applies_and_edits(kubectl: Kubectl) -> None:
    manifest = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: one}}\ndata: {k: '1'}\n"
    )
    assert "created" in kubectl("apply", "-f", "-", stdin=manifest)
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=manifest)
    changed = manifest.replace("k: '1'", "j: '2'")
    assert "configured" in kubectl("apply", "-f", "-", stdin=changed)
    assert kubectl.json("get", "cm", "a")["data"] == {"j": "2"}
    kubectl("label", "cm", "a", "x=two", "--overwrite")
    kubectl("annotate", "cm", "a", "note=1")
    kubectl("patch", "cm", "a", "-p", '{"data":{"p":"3"}}')
    kubectl("replace", "-f", "-", stdin=manifest)
    assert kubectl.json("get", "cm", "a")["data"] == {"k": "1"}
    kubectl("delete", "cm", "--all")


def test_kubectl_explains_and_discovers(kubectl: Kubectl) -> None:
    assert "replicas" in kubectl("explain", "deployment.spec")
    assert "deployments" in kubectl("api-resources")
    assert "apps/v1" in kubectl("api-versions")
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert "Server Version: v1.35.0" in kubectl("version")


def test_kubectl_runs_a_pod(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--image=busybox", "--labels=a=b", "--env=X=1", "--", "sleep", "1")
    spec = kubectl.json("get", "pod", "p")["spec"]
    (container,) = spec["containers"]
    assert container["args"] == ["sleep", "1"]
    assert container["env"] == [{"name": "X", "value": "1"}]
    assert kubectl("create", "token", "default").count(".") == 2
    kubectl("delete", "pod", "-l", "a=b")
