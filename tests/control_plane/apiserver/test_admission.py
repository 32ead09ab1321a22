"""What admission adds to objects, and what it has against them."""

from tests.control_plane.apiserver.objects import config_map, pod
from tests.support.raw_api import RawApi

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


def test_a_pod_gets_account_token_priority_and_tolerations(api: RawApi, namespace: str) -> None:
    spec = api.post(f"/api/v1/namespaces/{namespace}/pods", pod("p")).json["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert [next(iter(source)) for source in volume["projected"]["sources"]] == [
        "serviceAccountToken",
        "configMap",
        "downwardAPI",
    ]
    mount = {"name": volume["name"], "readOnly": True, "mountPath": MOUNT_PATH}
    assert spec["containers"][0]["volumeMounts"] == [mount]
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert [(t["key"], t["tolerationSeconds"]) for t in spec["tolerations"]] == [
        ("node.kubernetes.io/not-ready", 300),
        ("node.kubernetes.io/unreachable", 300),
    ]


def test_a_pod_may_do_without_the_token(api: RawApi, namespace: str) -> None:
    body = pod("p")
    body["spec"] |= {
        "automountServiceAccountToken": False,
        "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
        "priorityClassName": "system-node-critical",
    }
    spec = api.post(f"/api/v1/namespaces/{namespace}/pods", body).json["spec"]
    assert "volumes" not in spec
    assert len(spec["tolerations"]) == 1
    assert spec["priority"] == 2_000_001_000


def test_accounts_and_classes_must_exist(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    body = pod("p")
    body["spec"]["serviceAccountName"] = "none"
    answer = api.post(path, body)
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.message == (
        f'pods "p" is forbidden: error looking up service account {namespace}/none: '
        'serviceaccount "none" not found'
    )
    body = pod("p")
    body["spec"]["priorityClassName"] = "none"
    assert "no PriorityClass with name none was found" in api.post(path, body).message
    body = pod("p")
    body["spec"]["priority"] = 7
    assert "the integer value of priority (7) must not be provided" in api.post(path, body).message


def test_a_mirror_pod_is_refused_for_its_token_before_it_is_checked(
    api: RawApi, namespace: str
) -> None:
    body = pod("p")
    body["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    source = {"serviceAccountToken": {"path": "token"}}
    body["spec"] |= {
        "nodeName": "n",
        "volumes": [{"name": "v", "projected": {"sources": [source]}}],
    }
    answer = api.post(f"/api/v1/namespaces/{namespace}/pods", body)
    assert (answer.code, answer.message) == (
        403,
        'pods "p" is forbidden: a mirror pod may not use ServiceAccountToken volume projections',
    )


def test_an_account_may_turn_the_token_off(api: RawApi, namespace: str) -> None:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    quiet = {
        "metadata": {"name": "quiet"},
        "automountServiceAccountToken": False,
        "imagePullSecrets": [{"name": "pull"}],
    }
    api.post(accounts, quiet)
    body = pod("p")
    body["spec"]["serviceAccountName"] = "quiet"
    spec = api.post(f"/api/v1/namespaces/{namespace}/pods", body).json["spec"]
    assert "volumes" not in spec
    assert spec["imagePullSecrets"] == [{"name": "pull"}]


def test_new_nodes_are_not_ready(api: RawApi) -> None:
    body = {"metadata": {"name": "fresh-node"}}
    made = api.post("/api/v1/nodes", body).json
    assert made["spec"]["taints"] == [
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    ]
    api.delete("/api/v1/nodes/fresh-node")


def test_volumes_in_use_are_protected(api: RawApi, namespace: str) -> None:
    claim = {
        "metadata": {"name": "c"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    assert api.post(path, claim).json["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_the_first_objects_are_there(api: RawApi) -> None:
    names = {item["metadata"]["name"] for item in api.get("/api/v1/namespaces").json["items"]}
    assert names >= {"default", "kube-system", "kube-public", "kube-node-lease"}
    namespace = api.get("/api/v1/namespaces/kube-system").json
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": "kube-system"}
    assert namespace["spec"]["finalizers"] == ["kubernetes"]
    assert namespace["status"]["phase"] == "Active"


def test_nothing_is_created_in_a_namespace_once_it_is_deleted(api: RawApi, namespace: str) -> None:
    for number in range(10):
        name = f"{namespace}-{number}"
        configmaps = f"/api/v1/namespaces/{name}/configmaps"
        api.post("/api/v1/namespaces", {"metadata": {"name": name}})
        assert api.post(configmaps, config_map("before")).code == 201
        assert api.delete(f"/api/v1/namespaces/{name}").code == 200
        late = api.post(configmaps, config_map("late"))
        assert (late.code, late.reason) == (403, "Forbidden"), late.text
        assert late.json["details"]["causes"][0]["reason"] == "NamespaceTerminating"
