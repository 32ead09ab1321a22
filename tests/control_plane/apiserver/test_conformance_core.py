"""Conformance: what the API is asked of namespaces, configuration, services and versions.

Each test does what upstream's test of its name does, with the official client.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client as typed_client
from kubernetes import config as typed_config

from tests.support.apiserver import ThreadedApiServer

# Half of the package is untyped and every field may be None: its types say nothing here.
client: Any = typed_client
config: Any = typed_config

POD = {"containers": [{"name": "c", "image": "busybox"}]}


@pytest.fixture(scope="module")
def official(server: ThreadedApiServer) -> Iterator[Any]:
    configured = config.new_client_from_config(str(server.kubeconfig))
    yield configured
    configured.rest_client.pool_manager.clear()
    configured.close()


@pytest.fixture
def core(official: Any) -> Any:
    return client.CoreV1Api(official)


def refused(function: Any, *arguments: Any) -> tuple[int, str]:
    """Call what the server must refuse; its code and text."""
    with pytest.raises(client.ApiException) as error:
        function(*arguments)
    return error.value.status, error.value.body


@pytest.mark.conformance(
    "[sig-api-machinery] server version should find the server version [Conformance]"
)
def test_server_version_should_find_the_server_version(official: Any) -> None:
    version = client.VersionApi(official).get_code()
    assert re.fullmatch("[1-9]", version.major)
    assert int(re.sub("[^0-9]", "", version.minor)) >= 35
    assert re.fullmatch(r"v1\.\d+\.\d+", version.git_version)
    assert version.platform.startswith("linux/")


@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should patch a Namespace [Conformance]",
    "[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace [Conformance]",
)
def test_namespaces_should_apply_a_patch_and_an_update(core: Any) -> None:
    name = f"nspatchtest-{uuid.uuid4().hex[:8]}"
    made = core.create_namespace({"metadata": {"name": name}})
    assert made.metadata.labels == {"kubernetes.io/metadata.name": name}
    core.patch_namespace(name, {"metadata": {"labels": {"testLabel": "testValue"}}})
    found = core.read_namespace(name)
    assert found.metadata.labels["testLabel"] == "testValue"
    found.metadata.labels[name] = "updated"
    found.metadata.labels.pop("kubernetes.io/metadata.name")
    updated = core.replace_namespace(name, found)
    assert updated.metadata.labels[name] == "updated"
    assert updated.metadata.labels["kubernetes.io/metadata.name"] == name
    core.delete_namespace(name)


@pytest.mark.conformance(
    "[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace [Conformance]"
)
def test_namespaces_should_apply_a_finalizer(core: Any) -> None:
    name, finalizer = f"e2e-ns-{uuid.uuid4().hex[:8]}", "e2e.example.com/fakeFinalizer"
    made = core.create_namespace({"metadata": {"name": name}})
    assert made.spec.finalizers == ["kubernetes"]
    made.spec.finalizers = [*made.spec.finalizers, finalizer]
    applied = core.replace_namespace_finalize(name, made)
    assert sorted(applied.spec.finalizers) == sorted([finalizer, "kubernetes"])
    core.delete_namespace(name)
    ending = core.read_namespace(name)
    assert (ending.status.phase, finalizer in ending.spec.finalizers) == ("Terminating", True)
    ending.spec.finalizers = []
    core.replace_namespace_finalize(name, ending)
    assert refused(core.read_namespace, name)[0] == 404


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        pytest.param("config_map", "ConfigMap", marks=pytest.mark.conformance(
            "[sig-node] ConfigMap should fail to create ConfigMap with empty key [Conformance]")),
        pytest.param("secret", "Secret", marks=pytest.mark.conformance(
            "[sig-node] Secrets should fail to create secret due to empty secret key "
            "[Conformance]")),
    ],
)  # fmt: skip
def test_should_fail_to_create_with_an_empty_key(
    core: Any, namespace: str, kind: str, what: str
) -> None:
    body = {"metadata": {"name": "empty"}, "data": {"": "dmFsdWUtMQ=="}}
    code, text = refused(getattr(core, f"create_namespaced_{kind}"), namespace, body)
    assert code == 422
    assert f'{what} \\"empty\\" is invalid: data[]: Invalid value: \\"\\"' in text


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("config_map", marks=pytest.mark.conformance(
            "[sig-storage] ConfigMap should be immutable if `immutable` field is set "
            "[Conformance]")),
        pytest.param("secret", marks=pytest.mark.conformance(
            "[sig-storage] Secrets should be immutable if `immutable` field is set "
            "[Conformance]")),
    ],
)  # fmt: skip
def test_should_be_immutable_if_the_immutable_field_is_set(
    core: Any, namespace: str, kind: str
) -> None:
    def call(verb: str, *arguments: Any) -> Any:
        return getattr(core, f"{verb}_namespaced_{kind}")(*arguments)

    call("create", namespace, {"metadata": {"name": "i"}, "data": {"a": "YQ=="}})
    call("patch", "i", namespace, {"data": {"a": "Yg=="}})
    call("patch", "i", namespace, {"immutable": True})
    for change in ({"data": {"a": "Yw=="}}, {"immutable": False}, {"immutable": None}):
        code, text = refused(call, "patch", "i", namespace, change)
        assert code == 422
        assert "field is immutable when `immutable` is set" in text
    labelled = call("patch", "i", namespace, {"metadata": {"labels": {"a": "b"}}})
    assert (labelled.metadata.labels, labelled.immutable) == ({"a": "b"}, True)
    call("delete", "i", namespace)


@pytest.mark.conformance(
    "[sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server "
    "[Conformance]"
)
def test_should_have_endpoints_and_endpoint_slices_pointing_to_api_server(
    official: Any, core: Any
) -> None:
    (subset,) = core.read_namespaced_endpoints("kubernetes", "default").subsets
    label = "kubernetes.io/service-name=kubernetes"
    slices = client.DiscoveryV1Api(official).list_namespaced_endpoint_slice(
        "default", label_selector=label
    )
    (found,) = slices.items
    assert [port.name for port in subset.ports] == [port.name for port in found.ports] == ["https"]
    listed = sorted(address for endpoint in found.endpoints for address in endpoint.addresses)
    assert sorted(address.ip for address in subset.addresses) == listed


@pytest.mark.conformance(
    "[sig-network] Services should find a service from listing all namespaces [Conformance]"
)
def test_should_find_a_service_from_listing_all_namespaces(core: Any) -> None:
    found = core.list_service_for_all_namespaces().items
    assert ("default", "kubernetes") in [
        (item.metadata.namespace, item.metadata.name) for item in found
    ]


@pytest.mark.conformance(
    "[sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API [Conformance]"
)
def test_should_support_csi_volume_source_in_pod_api(core: Any, namespace: str) -> None:
    csi = {"driver": "e2e.example.com", "readOnly": True, "fsType": "ext4"}
    spec = {**POD, "volumes": [{"name": "inline", "csi": csi}]}
    metadata = {"name": "p", "labels": {"e2e-test": "csi"}}
    core.create_namespaced_pod(namespace, {"metadata": metadata, "spec": spec})
    (found,) = core.list_namespaced_pod(namespace, label_selector="e2e-test=csi").items
    (volume,) = [one for one in found.spec.volumes if one.name == "inline"]
    assert (volume.csi.driver, volume.csi.read_only, volume.csi.fs_type) == tuple(csi.values())
    core.patch_namespaced_pod("p", namespace, {"metadata": {"annotations": {"patched": "true"}}})
    core.delete_namespaced_pod("p", namespace, grace_period_seconds=0)
    assert core.list_namespaced_pod(namespace, label_selector="e2e-test=csi").items == []


@pytest.mark.conformance("[sig-node] Pods should delete a collection of pods [Conformance]")
def test_should_delete_a_collection_of_pods(core: Any, namespace: str) -> None:
    for number in range(3):
        metadata = {"name": f"test-pod-{number}", "labels": {"type": "Testing"}}
        core.create_namespaced_pod(namespace, {"metadata": metadata, "spec": POD})
    core.delete_collection_namespaced_pod(namespace, label_selector="type=Testing")
    assert core.list_namespaced_pod(namespace, label_selector="type=Testing").items == []
