"""status, scale and binding: halves of an object, written through their own endpoints."""

import pytest

from tests.control_plane.apiserver.objects import config_map, deployment, pod
from tests.support.raw_api import RawApi


@pytest.fixture
def path(api: RawApi, namespace: str) -> str:
    collection = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert api.post(collection, deployment("d", 2)).code == 201
    return f"{collection}/d"


def test_status_and_spec_keep_to_their_endpoints(api: RawApi, path: str) -> None:
    obj = api.get(path).json
    obj["spec"]["replicas"] = 9
    obj["status"] = {"replicas": 5, "observedGeneration": 1}
    through_status = api.put(f"{path}/status", obj).json
    assert through_status["spec"]["replicas"] == 2
    assert through_status["status"]["replicas"] == 5
    assert through_status["metadata"]["generation"] == 1
    through_main = api.patch(path, {"spec": {"replicas": 9}, "status": {"replicas": 77}}).json
    assert through_main["spec"]["replicas"] == 9
    assert through_main["status"]["replicas"] == 5
    assert api.get(f"{path}/status").json == api.get(path).json
    patched = api.patch(f"{path}/status", {"status": {"readyReplicas": 1}}, "strategic").json
    assert patched["status"] == {"replicas": 5, "observedGeneration": 1, "readyReplicas": 1}


def test_status_of_a_new_object_is_empty(api: RawApi, namespace: str) -> None:
    obj = deployment("fresh") | {"status": {"replicas": 3}}
    made = api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", obj).json
    assert made["status"] == {}


def test_status_conflicts_on_an_old_version(api: RawApi, path: str) -> None:
    old = api.get(path).json
    api.patch(path, {"metadata": {"labels": {"a": "b"}}})
    assert api.put(f"{path}/status", old).code == 409


def test_scale_reads_and_writes_replicas(api: RawApi, path: str) -> None:
    scale = api.get(f"{path}/scale").json
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 0, "selector": "app=d"}
    scale["spec"]["replicas"] = 5
    assert api.put(f"{path}/scale", scale).json["spec"] == {"replicas": 5}
    assert api.put(f"{path}/scale", scale).code == 409
    assert api.patch(f"{path}/scale", {"spec": {"replicas": 0}}).json["spec"] == {}
    parent = api.get(path).json
    assert parent["spec"]["replicas"] == 0
    assert parent["metadata"]["generation"] == 3
    bad = api.patch(f"{path}/scale", {"spec": {"replicas": -1}})
    assert (bad.code, bad.reason) == (422, "Invalid")
    assert api.get(f"{path}/scale".replace("/d/", "/none/")).code == 404


def test_scale_can_be_shown_as_a_table(api: RawApi, path: str) -> None:
    table = api.get(f"{path}/scale", "application/json;as=Table;v=v1;g=meta.k8s.io").json
    assert table["kind"] == "Table"
    columns = [column["name"] for column in table["columnDefinitions"]]
    assert columns == ["Name", "Desired", "Available", "Age"]
    assert table["rows"][0]["cells"][:3] == ["d", 2, 0]


def _binding(name: str, node: str) -> dict[str, object]:
    target = {"kind": "Node", "name": node}
    return {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": name}, "target": target}


def test_binding_assigns_a_pod_once(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    made = api.post(path, pod("p")).json
    answer = api.post(f"{path}/p/binding", _binding("p", "n1"))
    assert (answer.code, answer.json["status"]) == (201, "Success")
    bound = api.get(f"{path}/p").json
    assert bound["spec"]["nodeName"] == "n1"
    assert bound["metadata"]["generation"] == made["metadata"]["generation"]
    (condition,) = bound["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("PodScheduled", "True")
    again = api.post(f"{path}/p/binding", _binding("p", "n2"))
    assert (again.code, again.reason) == (409, "Conflict")
    assert again.message == (
        'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"'
    )


@pytest.mark.parametrize(
    ("field", "what"), [("uid", "UID"), ("resourceVersion", "ResourceVersion")]
)
def test_a_binding_may_name_the_pod_it_was_made_for(
    api: RawApi, namespace: str, field: str, what: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    made = api.post(path, pod("p")).json["metadata"][field]
    binding = _binding("p", "n1")
    other = api.post(f"{path}/p/binding", {**binding, "metadata": {"name": "p", field: "1"}})
    assert (other.code, other.reason) == (409, "Conflict")
    assert other.message == (
        f'Operation cannot be fulfilled on pods/binding "p": Precondition failed: '
        f"{what} in precondition: 1, {what} in object meta: {made}"
    )
    same = api.post(f"{path}/p/binding", {**binding, "metadata": {"name": "p", field: made}})
    assert same.code == 201, same.text


def test_bindings_that_make_no_sense(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.post(path, pod("p"))
    assert api.post(f"{path}/none/binding", _binding("none", "n")).code == 404
    other = api.post(f"{path}/p/binding", _binding("q", "n"))
    assert other.message == "name in URL does not match name in Binding object"
    assert api.post(f"{path}/p/binding", _binding("p", "")).code == 422
    assert api.post(f"{path}/p/binding", config_map("p")).code == 400
    assert "nodeName" not in api.get(f"{path}/p").json["spec"]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("log", 400, "pod p does not have a host assigned"),
        ("log?container=none", 400, "container none is not valid for pod p"),
        ("log?tailLines=x", 400, "invalid syntax"),
        ("log?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 422,
         'PodLogOptions "p" is invalid: []: Forbidden: at most one of `sinceTime` or '
         "`sinceSeconds` may be specified"),
        ("log?sinceSeconds=0&tailLines=-1&limitBytes=0", 422,
         'PodLogOptions "p" is invalid: [tailLines: Invalid value: -1: must be greater than or '
         "equal to 0, limitBytes: Invalid value: 0: must be greater than 0, sinceSeconds: Invalid "
         "value: 0: must be greater than 0]"),
        ("exec?command=ls&stdout=true", 400, "pod p does not have a host assigned"),
    ],
)  # fmt: skip
def test_streams_that_cannot_be(
    api: RawApi, namespace: str, query: str, code: int, message: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.post(path, pod("p"))
    answer = api.get(f"{path}/p/{query}")
    assert answer.code == code
    assert message in answer.message


@pytest.mark.parametrize(
    ("name", "query", "message"),
    [
        ("p", "command=ls&stdout=true", "pod p does not have a host assigned"),
        ("p", "command=ls&stdout=true&container=z", "container z is not valid for pod p"),
        ("none", "command=ls&stdout=true", 'pods "none" not found'),
    ],
)
def test_the_old_form_of_exec_says_what_is_wrong_with_the_pod_first(
    api: RawApi, namespace: str, name: str, query: str, message: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.post(path, pod("p"))
    assert message in api.post(f"{path}/{name}/exec?{query}", {}).message
