"""A container's environment: expansion, sources, service variables, the downward API."""

import base64
from typing import Any

import pytest

from node.kubelet.containers.environment import environment, sources_of
from node.kubelet.containers.expansion import expand
from node.kubelet.containers.references import (
    PodFacts,
    ReferenceFailure,
    field_value,
    resource_value,
)
from node.kubelet.containers.service_environment import service_environment
from tests.node.builders import container, pod

CONFIG = {"data": {"a": "one", "b": "two"}}
SECRET = {"data": {"pw": base64.b64encode(b"hunter2").decode()}}
SOURCES = {("configmap", "cm"): CONFIG, ("secret", "sec"): SECRET}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$(A)", "1"),
        ("x$(A)y$(B)z", "x1y2z"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(NOPE)", "$(NOPE)"),
        ("$(A", "$(A"),
        ("$A", "$A"),
        ("cost$", "cost$"),
        ("$$", "$"),
        ("$()", "$()"),
    ],
)
def test_expansion(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expected


def facts(**fields: Any) -> PodFacts:
    spec = pod(
        container(**fields),
        serviceAccountName="robot",
        metadata={"labels": {"app": "web"}, "annotations": {"note": 'say "hi"', "a": "b"}},
    )
    allocatable = {"cpu": "4", "memory": "8Gi"}
    return PodFacts(spec, ["10.88.0.2"], ["192.0.2.1"], allocatable)


def env_of(services: dict[str, str] | None = None, **fields: Any) -> dict[str, str]:
    known = facts(**fields)
    return environment(known, known.pod["spec"]["containers"][0], services or {}, SOURCES)


def test_later_sources_win_and_env_comes_last() -> None:
    values = env_of(
        envFrom=[
            {"configMapRef": {"name": "cm"}},
            {"configMapRef": {"name": "cm"}, "prefix": "p-"},
            {"secretRef": {"name": "sec"}},
        ],
        env=[{"name": "a", "value": "mine"}],
    )
    assert values == {"a": "mine", "b": "two", "p-a": "one", "p-b": "two", "pw": "hunter2"}


def test_values_see_earlier_variables_and_services() -> None:
    values = env_of(
        {"WEB_SERVICE_HOST": "10.96.0.9"},
        env=[
            {"name": "FOO", "value": "foo"},
            {"name": "URL", "value": "http://$(WEB_SERVICE_HOST)/$(FOO)/$(LATER)"},
            {"name": "LATER", "value": "x"},
        ],
    )
    assert values["URL"] == "http://10.96.0.9/foo/$(LATER)"


def test_values_from_references_are_not_expanded() -> None:
    reference = {"configMapKeyRef": {"name": "cm", "key": "a"}}
    assert env_of(env=[{"name": "X", "valueFrom": reference}])["X"] == "one"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"configMapKeyRef": {"name": "no", "key": "k"}}, 'configmap "no" not found'),
        ({"secretKeyRef": {"name": "no", "key": "k"}}, 'secret "no" not found'),
        (
            {"configMapKeyRef": {"name": "cm", "key": "k"}},
            "couldn't find key k in ConfigMap default/cm",
        ),
        (
            {"secretKeyRef": {"name": "sec", "key": "k"}},
            "couldn't find key k in Secret default/sec",
        ),
    ],
)
def test_what_is_missing_is_named_unless_optional(reference: dict[str, Any], message: str) -> None:
    with pytest.raises(ReferenceFailure, match=message):
        env_of(env=[{"name": "X", "valueFrom": reference}])
    optional = {kind: {**body, "optional": True} for kind, body in reference.items()}
    assert env_of(env=[{"name": "X", "valueFrom": optional}]) == {}


def test_the_objects_to_fetch_are_listed() -> None:
    wanted = container(
        envFrom=[{"secretRef": {"name": "s"}}],
        env=[
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
            {"name": "B", "value": "x"},
        ],
    )
    assert list(sources_of(wanted)) == [("secret", "s"), ("configmap", "c")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "web"),
        ("metadata.namespace", "default"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['nope']", ""),
        ("metadata.annotations", 'a="b"\nnote="say \\"hi\\""'),
        ("spec.nodeName", "node-1"),
        ("spec.serviceAccountName", "robot"),
        ("status.podIP", "10.88.0.2"),
        ("status.hostIP", "192.0.2.1"),
    ],
)
def test_fields(path: str, expected: str) -> None:
    assert field_value(facts(), path) == expected


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(ReferenceFailure, match=r"status\.phase"):
        field_value(facts(), "status.phase")


@pytest.mark.parametrize(
    ("resources", "reference", "expected"),
    [
        ({"limits": {"cpu": "1500m"}}, {"resource": "limits.cpu"}, "2"),
        ({"limits": {"cpu": "1500m"}}, {"resource": "limits.cpu", "divisor": "1m"}, "1500"),
        ({"requests": {"cpu": "250m"}}, {"resource": "requests.cpu"}, "1"),
        ({"limits": {"memory": "64Mi"}}, {"resource": "limits.memory"}, "67108864"),
        (
            {"limits": {"memory": "64Mi"}},
            {"resource": "limits.memory", "divisor": "1Mi"},
            "64",
        ),
        ({}, {"resource": "limits.cpu"}, "4"),
        ({}, {"resource": "requests.memory"}, "0"),
        ({}, {"resource": "limits.cpu", "divisor": "0"}, "4"),
    ],
)
def test_resources(resources: dict[str, Any], reference: dict[str, Any], expected: str) -> None:
    known = facts(resources=resources)
    assert resource_value(known, reference, known.pod["spec"]["containers"][0]) == expected


def service(name: str, address: str = "10.96.0.9", namespace: str = "default") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": address, "ports": [{"name": "http", "port": 8765}]},
    }


def test_service_variables() -> None:
    assert service_environment(pod(), [service("foo-svc")]) == {
        "FOO_SVC_SERVICE_HOST": "10.96.0.9",
        "FOO_SVC_SERVICE_PORT": "8765",
        "FOO_SVC_SERVICE_PORT_HTTP": "8765",
        "FOO_SVC_PORT": "tcp://10.96.0.9:8765",
        "FOO_SVC_PORT_8765_TCP": "tcp://10.96.0.9:8765",
        "FOO_SVC_PORT_8765_TCP_PROTO": "tcp",
        "FOO_SVC_PORT_8765_TCP_PORT": "8765",
        "FOO_SVC_PORT_8765_TCP_ADDR": "10.96.0.9",
    }


def test_only_the_pods_own_services_and_kubernetes_are_told() -> None:
    services = [
        service("headless", "None"),
        service("elsewhere", namespace="other"),
        service("kubernetes", "10.96.0.1"),
        service("own"),
    ]
    hosts = {k for k in service_environment(pod(), services) if k.endswith("_SERVICE_HOST")}
    assert hosts == {"KUBERNETES_SERVICE_HOST", "OWN_SERVICE_HOST"}
    unlinked = service_environment(pod(enableServiceLinks=False), services)
    assert "OWN_SERVICE_HOST" not in unlinked
    assert "KUBERNETES_SERVICE_HOST" in unlinked
