"""pods/ephemeralcontainers and pods/resize over the wire, and by kubectl.

The first tests are named after the conformance tests of these endpoints.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.apiserver.objects import pod
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

Object = dict[str, Any]
KUBECTL = Path(sys.executable).parent / "kubectl"
DEBUGGER = {"name": "debugger", "image": "busybox", "stdin": True, "tty": True}
SMALL = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}
LARGE = {"requests": {"cpu": "150m"}, "limits": {"cpu": "300m"}}


@pytest.fixture
def path(api: RawApi, namespace: str) -> str:
    sent = pod("p")
    sent["spec"]["containers"][0]["resources"] = SMALL
    collection = f"/api/v1/namespaces/{namespace}/pods"
    assert api.post(collection, sent).code == 201
    return f"{collection}/p"


def test_will_start_an_ephemeral_container_in_an_existing_pod(api: RawApi, path: str) -> None:
    patch = {"spec": {"ephemeralContainers": [DEBUGGER]}}
    patched = api.patch(f"{path}/ephemeralcontainers", patch, "strategic")
    assert patched.code == 200, patched.text
    (ephemeral,) = patched.json["spec"]["ephemeralContainers"]
    assert ephemeral == {
        **DEBUGGER,
        "resources": {},
        "imagePullPolicy": "Always",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    assert patched.json["metadata"]["generation"] == 2
    assert api.get(f"{path}/ephemeralcontainers").json == api.get(path).json == patched.json


def test_update_the_ephemeral_containers_in_an_existing_pod(api: RawApi, path: str) -> None:
    found = api.get(path).json
    found["spec"]["ephemeralContainers"] = [DEBUGGER]
    found["spec"]["activeDeadlineSeconds"] = 5
    updated = api.put(f"{path}/ephemeralcontainers", found)
    assert updated.code == 200, updated.text
    assert "activeDeadlineSeconds" not in updated.json["spec"]
    second = {"spec": {"ephemeralContainers": [{"name": "two", "image": "busybox"}]}}
    both = api.patch(f"{path}/ephemeralcontainers", second, "strategic").json
    names = [container["name"] for container in both["spec"]["ephemeralContainers"]]
    assert sorted(names) == ["debugger", "two"]
    assert api.put(f"{path}/ephemeralcontainers", found).code == 409
    gone = api.patch(f"{path}/ephemeralcontainers", {"spec": {"ephemeralContainers": []}})
    assert (gone.code, gone.reason) == (422, "Invalid")
    assert gone.json["details"]["causes"][0]["field"] == "spec.ephemeralContainers"


def test_ephemeral_containers_come_by_their_endpoint_only(api: RawApi, path: str) -> None:
    patch = {"spec": {"ephemeralContainers": [DEBUGGER]}}
    assert api.patch(path, patch, "strategic").code == 422
    sent = pod("q")
    sent["spec"]["ephemeralContainers"] = [DEBUGGER]
    refused = api.post(path.removesuffix("/p"), sent)
    assert (refused.code, "cannot be set on create" in refused.message) == (422, True)


def test_pod_inplace_resize(api: RawApi, path: str) -> None:
    patch = {"spec": {"containers": [{"name": "c", "resources": LARGE}]}}
    refused = api.patch(path, patch, "strategic")
    assert refused.code == 422
    resized = api.patch(f"{path}/resize", patch, "strategic")
    assert resized.code == 200, resized.text
    assert resized.json["spec"]["containers"][0]["resources"] == LARGE
    assert resized.json["metadata"]["generation"] == 2
    assert api.get(f"{path}/resize").json == resized.json
    bad = api.patch(f"{path}/resize", {"spec": {"containers": [{"name": "x"}]}})
    assert bad.code == 422


def test_who_owns_what_these_endpoints_write(api: RawApi, path: str) -> None:
    patch = {"spec": {"containers": [{"name": "c", "resources": LARGE}]}}
    resized = api.patch(f"{path}/resize?fieldManager=resizer", patch, "strategic").json
    entries = {entry["manager"]: entry for entry in resized["metadata"]["managedFields"]}
    assert entries["resizer"]["subresource"] == "resize"
    owned = entries["resizer"]["fieldsV1"]["f:spec"]["f:containers"]['k:{"name":"c"}']
    assert list(owned) == ["f:resources"]


def kubectl(server: ThreadedApiServer, home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [KUBECTL, f"--kubeconfig={server.kubeconfig}", *arguments],
        env={**os.environ, "HOME": str(home)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kubectl_debug_and_resize(
    api: RawApi, server: ThreadedApiServer, path: str, namespace: str, tmp_path: Path
) -> None:
    at = f"--namespace={namespace}"
    kubectl(server, tmp_path, "debug", at, "p", "--image=busybox", "--container=dbg")
    (ephemeral,) = api.get(path).json["spec"]["ephemeralContainers"]
    assert ephemeral["name"] == "dbg"
    patch = '{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"1"}}}]}}'
    shown = kubectl(
        server, tmp_path, "patch", at, "pod", "p", "--subresource=resize", "--patch", patch
    )
    assert shown == "pod/p patched\n"
    limits = api.get(path).json["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "1"}


@pytest.mark.conformance(
    "[sig-node] Pod InPlace Resize Container resize pod via the replace endpoint "
    "[MinimumKubeletVersion:1.34] [Conformance]",
)
def test_resize_pod_via_the_replace_endpoint(api: RawApi, path: str) -> None:
    found = api.get(path).json
    found["spec"]["containers"][0]["resources"] = LARGE
    resized = api.put(f"{path}/resize", found)
    assert resized.code == 200, resized.text
    assert resized.json["spec"]["containers"][0]["resources"] == LARGE
    assert api.put(f"{path}/resize", found).code == 409


def test_burstable_pods_various_operations_performed_including_adding_limits_and_requests(
    api: RawApi, path: str
) -> None:
    sent = pod("six")
    before: list[Object] = [
        {"limits": {"cpu": "200m", "memory": "20Mi"}, "requests": {"cpu": "100m"}},
        {"requests": {"cpu": "100m"}}, {"requests": {"memory": "10Mi"}}, {}, SMALL, SMALL,
    ]  # fmt: skip
    after: list[Object] = [
        {"limits": {"cpu": "0.3", "memory": "20Mi"}, "requests": {"cpu": "100m"}},
        {"requests": {"cpu": "100m", "memory": "10Mi"}},
        {"requests": {"memory": "10Mi"}, "limits": {"memory": "20Mi"}},
        {"requests": {"cpu": "1"}}, LARGE, {"requests": {"cpu": "0.1"}, "limits": {"cpu": "0.2"}},
    ]  # fmt: skip
    image = sent["spec"]["containers"][0]["image"]
    sent["spec"]["containers"] = [
        {"name": f"c{at}", "image": image, "resources": resources}
        for at, resources in enumerate(before)
    ]
    collection = path.removesuffix("/p")
    assert api.post(collection, sent).code == 201
    patch = {"spec": {"containers": [
        {"name": f"c{at}", "resources": resources} for at, resources in enumerate(after)
    ]}}  # fmt: skip
    resized = api.patch(f"{collection}/six/resize", patch, "strategic")
    assert resized.code == 200, resized.text
    found = [c["resources"] for c in resized.json["spec"]["containers"]]
    assert found[0]["limits"]["cpu"] == "300m"
    assert found[3] == {"requests": {"cpu": "1"}}
    assert found[4:] == [LARGE, SMALL]
    assert resized.json["status"]["qosClass"] == "Burstable"
