"""[sig-scheduling] LimitRange and [sig-node] RuntimeClass at the API server; default classes."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.control_plane.apiserver.objects import pod
from tests.control_plane.apiserver.people import person
from tests.control_plane.apiserver.webhook_peer import patching
from tests.control_plane.apiserver.webhook_stage import MUTATING, WebhookStage
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

Object = dict[str, Any]
RUNTIMES = "/apis/node.k8s.io/v1/runtimeclasses"
STORAGE = "/apis/storage.k8s.io/v1/storageclasses"
INGRESS = "/apis/networking.k8s.io/v1/ingressclasses"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


def with_resources(name: str, requests: Object, limits: Object) -> Object:
    body = pod(name)
    body["spec"]["containers"][0]["resources"] = {"requests": requests, "limits": limits}
    return body


def resources(answer: Any) -> Object:
    found: Object = answer.json["spec"]["containers"][0]["resources"]
    return found


@pytest.mark.conformance(
    "[sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those "
    "defaults applied. [Conformance]",
)
def test_should_create_a_limit_range_with_defaults_and_ensure_pod_has_those_defaults_applied(
    api: RawApi, namespace: str
) -> None:
    ranges = f"/api/v1/namespaces/{namespace}/limitranges"
    pods = f"/api/v1/namespaces/{namespace}/pods"
    item = {
        "type": "Container",
        "min": {"cpu": "50m", "memory": "100Mi", "ephemeral-storage": "100Gi"},
        "max": {"cpu": "500m", "memory": "500Mi", "ephemeral-storage": "500Gi"},
        "default": {"cpu": "500m", "memory": "500Mi", "ephemeral-storage": "500Gi"},
        "defaultRequest": {"cpu": "100m", "memory": "200Mi", "ephemeral-storage": "200Gi"},
    }
    limit_range = {"metadata": {"name": "limits"}, "spec": {"limits": [item]}}
    assert api.post(ranges, limit_range).code == 201
    bare = api.post(pods, pod("bare"))
    assert resources(bare) == {"requests": item["defaultRequest"], "limits": item["default"]}
    assert bare.json["metadata"]["annotations"]["kubernetes.io/limit-ranger"].startswith(
        "LimitRanger plugin set: cpu, ephemeral-storage, memory request for container c; "
    )
    partial = api.post(pods, with_resources("partial", {"memory": "150Mi"}, {"cpu": "300m"}))
    assert resources(partial)["requests"] == {
        "cpu": "300m", "memory": "150Mi", "ephemeral-storage": "200Gi",
    }  # fmt: skip
    small = api.post(pods, with_resources("small", {"cpu": "10m", "memory": "50Mi"}, {}))
    assert (small.code, small.message) == (
        403,
        'pods "small" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, '
        "minimum memory usage per Container is 100Mi, but request is 50Mi]",
    )
    large = api.post(pods, with_resources("large", {}, {"cpu": "600m"}))
    assert "maximum cpu usage per Container is 500m, but limit is 600m" in large.message
    changed = {"spec": {"limits": [{**item, "min": {"cpu": "10m", "memory": "10Mi"}}]}}
    assert api.patch(f"{ranges}/limits", changed).code == 200
    assert api.post(pods, with_resources("small", {"cpu": "10m", "memory": "50Mi"}, {})).code == 201
    assert api.delete(f"{ranges}/limits").code == 200
    assert resources(api.post(pods, pod("free"))) == {}


@pytest.fixture
def runtime(api: RawApi, namespace: str) -> Iterator[str]:
    body = {
        "metadata": {"name": namespace},
        "handler": "kata",
        "overhead": {"podFixed": {"cpu": "10m", "memory": "1Mi"}},
        "scheduling": {
            "nodeSelector": {"kata": "yes"},
            "tolerations": [{"key": "kata", "operator": "Exists", "effect": "NoSchedule"}],
        },
    }
    assert api.post(RUNTIMES, body).code == 201
    yield namespace
    api.delete(f"{RUNTIMES}/{namespace}")


def of_class(name: str, **spec: Any) -> Object:
    body = pod("p")
    body["spec"] |= {"runtimeClassName": name, **spec}
    return body


def test_should_schedule_a_pod_requesting_a_runtime_class_and_initialize_its_overhead(
    api: RawApi, namespace: str, runtime: str
) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    spec = api.post(pods, of_class(runtime, nodeSelector={"disk": "ssd"})).json["spec"]
    assert spec["overhead"] == {"cpu": "10m", "memory": "1Mi"}
    assert spec["nodeSelector"] == {"disk": "ssd", "kata": "yes"}
    assert "kata" in [toleration["key"] for toleration in spec["tolerations"]]
    elsewhere = api.post(pods, of_class(runtime, nodeSelector={"kata": "no"}))
    assert elsewhere.message == (
        'pods "p" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[kata] = yes; '
        "pod.spec.nodeSelector[kata] = no"
    )
    other = api.post(pods, of_class(runtime, overhead={"cpu": "1"}))
    assert "Pod's Overhead doesn't match RuntimeClass's defined Overhead" in other.message


@pytest.mark.conformance(
    "[sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass "
    "[NodeConformance] [Conformance]",
    "[sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass "
    "[NodeConformance] [Conformance]",
)
def test_should_reject_a_pod_requesting_a_non_existent_or_deleted_runtime_class(
    api: RawApi, namespace: str, runtime: str
) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    absent = api.post(pods, of_class(f"{namespace}-nonexistent"))
    assert (absent.code, absent.reason) == (403, "Forbidden")
    assert api.delete(f"{RUNTIMES}/{runtime}").code == 200
    gone = api.post(pods, of_class(runtime))
    assert (gone.code, gone.message) == (
        403,
        f'pods "p" is forbidden: pod rejected: RuntimeClass "{runtime}" not found',
    )
    body = pod("p")
    body["spec"]["overhead"] = {"cpu": "1"}
    without = api.post(pods, body)
    assert "Pod Overhead set without corresponding RuntimeClass defined Overhead" in without.message


def claim(name: str, **spec: Any) -> Object:
    size = {"requests": {"storage": "1Gi"}}
    return {
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": size, **spec},
    }


def test_claims_and_ingresses_get_the_newest_default_class(api: RawApi, namespace: str) -> None:
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    ingresses = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    ingress = {"metadata": {"name": "i"}, "spec": {"defaultBackend": backend}}
    assert "storageClassName" not in api.post(claims, claim("none")).json["spec"]
    is_default = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage = {
        "metadata": {"name": namespace, "annotations": is_default},
        "provisioner": "example.com/disk",
    }
    is_default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    routing = {
        "metadata": {"name": namespace, "annotations": is_default},
        "spec": {"controller": "example.com/routes"},
    }
    try:
        assert api.post(STORAGE, storage).code == 201
        assert api.post(INGRESS, routing).code == 201
        assert api.post(claims, claim("one")).json["spec"]["storageClassName"] == namespace
        empty = api.post(claims, claim("empty", storageClassName=""))
        assert empty.json["spec"]["storageClassName"] == ""
        assert api.post(ingresses, ingress).json["spec"]["ingressClassName"] == namespace
    finally:
        api.delete(f"{STORAGE}/{namespace}")
        api.delete(f"{INGRESS}/{namespace}")


def test_claims_grow_when_they_are_bound_and_their_class_allows_it(
    api: RawApi, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    more = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    api.post(path, claim("c", storageClassName=namespace))
    unbound = api.patch(f"{path}/c", more)
    assert (unbound.code, unbound.reason) == (422, "Invalid")
    api.patch(f"{path}/c/status", {"status": {"phase": "Bound"}})
    refused = api.patch(f"{path}/c", more)
    assert "the storageclass that provisions the pvc must support resize" in refused.message
    growing = {
        "metadata": {"name": namespace},
        "provisioner": "example.com/disk",
        "allowVolumeExpansion": True,
    }
    try:
        assert api.post(STORAGE, growing).code == 201
        assert api.patch(f"{path}/c", more).code == 200
    finally:
        api.delete(f"{STORAGE}/{namespace}")


def test_there_is_one_default_priority_class(api: RawApi, namespace: str) -> None:
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    first = {"metadata": {"name": namespace}, "value": 7, "globalDefault": True}
    try:
        assert api.post(path, first).code == 201
        second = api.post(path, {**first, "metadata": {"name": f"{namespace}-2"}})
        assert (second.code, second.message) == (
            403,
            f'priorityclasses.scheduling.k8s.io "{namespace}-2" is forbidden: PriorityClass '
            f"{namespace} is already marked as default. Only one default can exist",
        )
        made = api.post(f"/api/v1/namespaces/{namespace}/pods", pod("p")).json["spec"]
        assert (made["priorityClassName"], made["priority"]) == (namespace, 7)
    finally:
        api.delete(f"{path}/{namespace}")


def signing_request(name: str, signer: str, organization: str) -> Object:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, "somebody"),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    pem = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    usages = ["client auth"]
    encoded = base64.b64encode(pem).decode()
    return {
        "metadata": {"name": name},
        "spec": {"request": encoded, "signerName": signer, "usages": usages},
    }


def test_approving_and_signing_take_the_signers_permission(
    api: RawApi, namespace: str, server: ThreadedApiServer, tmp_path: Path
) -> None:
    signer = "example.com/mine"
    master = signing_request("m", "kubernetes.io/kube-apiserver-client", "system:masters")
    assert api.post(REQUESTS, master).message == (
        'certificatesigningrequests.certificates.k8s.io "m" is forbidden: use of '
        "kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    )
    made = api.post(REQUESTS, signing_request(namespace, signer, "people")).json
    rules = [
        {
            "apiGroups": ["certificates.k8s.io"],
            "resources": [
                "certificatesigningrequests",
                "certificatesigningrequests/approval",
                "certificatesigningrequests/status",
            ],
            "verbs": ["get", "update"],
        }
    ]
    authorization = "/apis/rbac.authorization.k8s.io/v1"
    role = {"metadata": {"name": namespace}, "rules": rules}
    api.post(f"{authorization}/clusterroles", role)
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": namespace}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": namespace}
    binding = {"metadata": {"name": namespace}, "roleRef": reference, "subjects": [subject]}
    api.post(f"{authorization}/clusterrolebindings", binding)
    condition = {"type": "Approved", "status": "True", "reason": "r", "message": "m"}
    approved = {**made, "status": {"conditions": [condition]}}
    failed = {**made, "status": {"conditions": [{**condition, "type": "Failed"}]}}
    with person(server, tmp_path, namespace) as somebody:
        refused = somebody.put(f"{REQUESTS}/{namespace}/approval", approved)
        assert "not permitted to approve requests with signerName" in refused.message
        refused = somebody.put(f"{REQUESTS}/{namespace}/status", failed)
        assert f'not permitted to sign requests with signerName "{signer}"' in refused.message
        permission = {
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["signers"],
            "resourceNames": ["example.com/*"],
            "verbs": ["approve", "sign"],
        }
        api.put(
            f"{authorization}/clusterroles/{namespace}", {**role, "rules": [*rules, permission]}
        )
        done = somebody.put(f"{REQUESTS}/{namespace}/approval", approved)
        assert done.code == 200, done.text
    api.delete(f"{REQUESTS}/{namespace}")


def test_nobody_says_who_asks_for_a_certificate_but_the_server(stage: WebhookStage) -> None:
    lie = {"op": "replace", "path": "/spec/username", "value": "somebody-else"}
    stage.peer.answers["/lie"] = patching(lie)
    request = signing_request(stage.namespace, "example.com/mine", "people")
    request["spec"]["username"] = "me"
    about = ("certificates.k8s.io", "certificatesigningrequests")
    with stage.configured(MUTATING, stage.webhook("/lie", about)):
        made = stage.api.post(REQUESTS, request)
    assert made.json["spec"]["username"] == "kubernetes-admin", made.text
    stage.api.delete(f"{REQUESTS}/{stage.namespace}")


def test_a_pod_on_a_node_has_the_nodes_zone(api: RawApi, namespace: str) -> None:
    labels = {"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r"}
    assert (
        api.post("/api/v1/nodes", {"metadata": {"name": namespace, "labels": labels}}).code == 201
    )
    path = f"/api/v1/namespaces/{namespace}/pods"
    made = api.post(path, pod("p", namespace, labels={"app": "a"})).json
    assert made["metadata"]["labels"] == {"app": "a", **labels}
    api.delete(f"/api/v1/nodes/{namespace}")
