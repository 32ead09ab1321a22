"""The conformance tests of API priority and fairness, by their names, with the official client."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client as typed_client
from kubernetes import config as typed_config
from kubernetes import watch as typed_watch

from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

# Half of the package is untyped and every field may be None: its types say nothing here.
client: Any = typed_client
config: Any = typed_config
watch: Any = typed_watch

GROUP = "flowcontrol.apiserver.k8s.io"
FLOW_SCHEMA_SPEC = {
    "matchingPrecedence": 10000,
    "priorityLevelConfiguration": {"name": "global-default"},
    "distinguisherMethod": {"type": "ByUser"},
    "rules": [
        {
            "subjects": [{"kind": "User", "user": {"name": "example-e2e-non-existent-user"}}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        }
    ],
}
PRIORITY_LEVEL_SPEC = {
    "type": "Limited",
    "limited": {"nominalConcurrencyShares": 2, "limitResponse": {"type": "Reject"}},
}


@pytest.fixture
def official(server: ThreadedApiServer) -> Iterator[Any]:
    configured = config.new_client_from_config(str(server.kubeconfig))
    yield configured
    configured.rest_client.pool_manager.clear()
    configured.close()


class Operations:
    """The client's functions for one kind, such as create_flow_schema."""

    def __init__(self, official: Any, kind: str, spec: dict[str, Any]) -> None:
        self._api = client.FlowcontrolApiserverV1Api(official)
        self._kind = kind
        self.label = f"e2e-test={uuid.uuid4().hex[:8]}"
        self._spec = spec

    def __call__(self, verb: str, *args: Any, **options: Any) -> Any:
        return getattr(self._api, f"{verb}_{self._kind}")(*args, **options)

    @property
    def lister(self) -> Any:
        return getattr(self._api, f"list_{self._kind}")

    def status(self, verb: str, *args: Any) -> Any:
        return getattr(self._api, f"{verb}_{self._kind}_status")(*args)

    def make(self, name: str) -> Any:
        key, _, value = self.label.partition("=")
        metadata = {"name": name, "labels": {key: value}}
        return self("create", {"metadata": metadata, "spec": self._spec})

    def names(self) -> list[str]:
        found = self("list", label_selector=self.label).items
        return sorted(item.metadata.name for item in found)


def check_discovery(api: RawApi, plural: str) -> None:
    groups = api.get("/apis").json["groups"]
    (group,) = [group for group in groups if group["name"] == GROUP]
    assert {"groupVersion": f"{GROUP}/v1", "version": "v1"} in group["versions"]
    assert api.get(f"/apis/{GROUP}").json["name"] == GROUP
    resources = api.get(f"/apis/{GROUP}/v1").json["resources"]
    names = {resource["name"] for resource in resources}
    assert {plural, f"{plural}/status"} <= names


def check_operations(operations: Operations, change: tuple[dict[str, Any], Any]) -> None:
    """All verbs of a kind; `change` is a patch and what is read of the spec afterwards."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    created = operations.make(name)
    with pytest.raises(client.ApiException) as taken:
        operations.make(name)
    assert taken.value.status == 409
    assert operations("read", name).metadata.uid == created.metadata.uid
    assert operations.names() == [name]
    version = created.metadata.resource_version
    patch, read = change
    patched = operations("patch", name, {"metadata": {"annotations": {"patched": "true"}}, **patch})
    assert patched.metadata.annotations == {"patched": "true"}
    assert read(patched.spec)
    watch_for_patch(operations, version)
    check_status(operations, name)
    operations("delete", name)
    with pytest.raises(client.ApiException) as missing:
        operations("read", name)
    assert missing.value.status == 404
    others = sorted(f"{name}-{number}" for number in range(2))
    for other in others:
        operations.make(other)
    assert operations.names() == others
    operations("delete_collection", label_selector=operations.label)
    assert operations.names() == []


def watch_for_patch(operations: Operations, version: str) -> None:
    """Wait for the event of the patch among those since a version."""
    stream = watch.Watch()
    selector = {"label_selector": operations.label, "resource_version": version}
    for event in stream.stream(operations.lister, **selector, timeout_seconds=60):
        annotations = event["object"].metadata.annotations
        if (event["type"], annotations) == ("MODIFIED", {"patched": "true"}):
            stream.stop()
            return
    pytest.fail("no event of the patch")


def check_status(operations: Operations, name: str) -> None:
    """Read, patch and replace the status."""
    assert operations.status("read", name).metadata.name == name
    condition = {
        "type": "PatchStatusFailed", "status": "False", "reason": "e2e",
        "message": "patched", "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    patched = operations.status("patch", name, {"status": {"conditions": [condition]}})
    assert "PatchStatusFailed" in [found.type for found in patched.status.conditions]

    def is_replaced() -> bool:
        current = operations.status("read", name)
        for found in current.status.conditions:
            if found.type == "PatchStatusFailed":
                found.type = "ReplaceStatusFailed"
        try:
            replaced = operations.status("replace", name, current)
        except client.ApiException as error:
            if error.status != 409:  # which the server's own condition leads to
                raise
            return False
        return "ReplaceStatusFailed" in [found.type for found in replaced.status.conditions]

    wait_until(is_replaced, "a replaced status")
    spec = operations("read", name)
    assert spec.metadata.annotations["patched"] == "true"


@pytest.mark.conformance(
    "[sig-api-machinery] API priority and fairness should support FlowSchema API "
    "operations [Conformance]",
)
def test_api_priority_and_fairness_should_support_flow_schema_api_operations(
    api: RawApi, official: Any
) -> None:
    check_discovery(api, "flowschemas")
    operations = Operations(official, "flow_schema", FLOW_SCHEMA_SPEC)
    change = {"spec": {"matchingPrecedence": 9999}}
    check_operations(operations, (change, lambda spec: spec.matching_precedence == 9999))


@pytest.mark.conformance(
    "[sig-api-machinery] API priority and fairness should support "
    "PriorityLevelConfiguration API operations [Conformance]",
)
def test_api_priority_and_fairness_should_support_priority_level_configuration_api_operations(
    api: RawApi, official: Any
) -> None:
    check_discovery(api, "prioritylevelconfigurations")
    operations = Operations(official, "priority_level_configuration", PRIORITY_LEVEL_SPEC)
    change = {"spec": {"limited": {"nominalConcurrencyShares": 4}}}
    check_operations(
        operations, (change, lambda spec: spec.limited.nominal_concurrency_shares == 4)
    )
