"""Mutating admission policies on a server that has them switched on, and on one that has not."""

import copy
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from control_plane.apiserver.features import Features
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.custom_stage import definition, established, version
from tests.control_plane.apiserver.objects import deployment, pod
from tests.control_plane.apiserver.people import person
from tests.control_plane.apiserver.protobuf.client import ProtobufApi, content
from tests.control_plane.apiserver.webhook_peer import WebhookPeer, allowed, patching
from tests.control_plane.apiserver.webhook_stage import MUTATING, WebhookStage
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.raw_api import Answer, RawApi
from tests.support.wait import wait_until

GROUP = "/apis/admissionregistration.k8s.io"
VERSIONS = {f"admissionregistration.k8s.io/{version}" for version in ("v1beta1", "v1alpha1")}
Object = dict[str, Any]


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedApiServer]:
    features = Features(frozenset({"MutatingAdmissionPolicy"}), frozenset(VERSIONS))
    directory = tmp_path_factory.mktemp("mutating")
    with (
        Datastore() as store,
        ThreadedApiServer(store.endpoint, directory, features=features) as server,
    ):
        yield server


class Stage:
    """Policies about one namespace."""

    def __init__(self, api: RawApi, namespace: str) -> None:
        self.api, self.namespace = api, namespace
        self.made: list[str] = []
        assert api.post("/api/v1/namespaces", {"metadata": {"name": namespace}}).code == 201
        self.path = f"/api/v1/namespaces/{namespace}"
        api.post(f"{self.path}/serviceaccounts", {"metadata": {"name": "default"}})

    def policy(self, name: str, *expressions: str, **spec: Any) -> None:
        """A policy that is bound; an expression that is a list is a JSON patch."""
        name = f"{self.namespace}-{name}"
        rule = {
            "apiGroups": ["", "apps"],
            "apiVersions": ["v1"],
            "operations": ["*"],
            "resources": ["configmaps", "deployments", "pods", "configmaps/*"],
        }
        binding = spec.pop("binding", {})
        spec = {
            "matchConstraints": {"resourceRules": [rule]},
            "mutations": [mutation(one) for one in expressions],
            "reinvocationPolicy": "Never",
            **spec,
        }
        selector = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        bound = {"policyName": name, "matchResources": {"namespaceSelector": selector}, **binding}
        for plural, body in (("policies", spec), ("policybindings", bound)):
            path = f"{GROUP}/v1beta1/mutatingadmission{plural}"
            reply = self.api.post(path, {"metadata": {"name": name}, "spec": body})
            assert reply.code == 201, reply.text
            self.made.append(f"{path}/{name}")

    def config_map(self, name: str, query: str = "", **fields: Any) -> Answer:
        body = {"metadata": {"name": name}, **fields}
        return self.api.post(f"{self.path}/configmaps{query}", body)

    def clear(self) -> None:
        for path in self.made:
            self.api.delete(path)


def mutation(expression: str) -> Object:
    if expression.startswith("["):
        return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def appending(key: str, text: str) -> str:
    """A configuration that appends a text to a value of a config map."""
    known = f"has(object.data) && '{key}' in object.data ? object.data['{key}'] : ''"
    return f"Object{{data: {{'{key}': ({known}) + '{text}'}}}}"


@pytest.fixture
def stage(own_server: ThreadedApiServer, request: pytest.FixtureRequest) -> Iterator[Stage]:
    name = request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")[:40]
    with raw_api(own_server) as api:
        made = Stage(api, name.strip("-"))
        yield made
        made.clear()


def test_they_are_off_by_default(api: RawApi) -> None:
    path = f"{GROUP}/v1beta1/mutatingadmissionpolicies"
    assert api.get(path).code == 404
    assert api.post(path, {"metadata": {"name": "p"}}).code == 404
    versions = [one["version"] for one in api.get(GROUP).json["versions"]]
    assert versions == ["v1"]


def test_both_versions_are_served_beside_the_preferred_one(stage: Stage) -> None:
    group = stage.api.get(GROUP).json
    assert [one["version"] for one in group["versions"]] == ["v1", "v1beta1", "v1alpha1"]
    assert group["preferredVersion"]["version"] == "v1"
    stage.policy("p", "Object{}")
    name = f"{stage.namespace}-p"
    alpha = stage.api.get(f"{GROUP}/v1alpha1/mutatingadmissionpolicies/{name}").json
    assert alpha["apiVersion"] == "admissionregistration.k8s.io/v1alpha1"
    assert alpha["spec"]["failurePolicy"] == "Fail"
    labelled = {"metadata": {"labels": {"a": "b"}}}
    path = f"{GROUP}/v1alpha1/mutatingadmissionpolicybindings/{name}"
    assert stage.api.patch(path, labelled).json["metadata"]["generation"] == 1
    services = "/apis/apiregistration.k8s.io/v1/apiservices"
    assert stage.api.get(f"{services}/v1beta1.admissionregistration.k8s.io").code == 200
    openapi = stage.api.get("/openapi/v3/apis/admissionregistration.k8s.io/v1beta1").json
    kinds = openapi["components"]["schemas"]
    assert "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicy" in kinds


def test_they_are_read_and_written_in_protobuf(stage: Stage) -> None:
    for served in ("v1beta1", "v1alpha1"):
        check_in_protobuf(stage, served)


def check_in_protobuf(stage: Stage, served: str) -> None:
    protobuf = ProtobufApi(stage.api)
    name, api_version = f"{stage.namespace}-{served}", f"admissionregistration.k8s.io/{served}"
    path = f"{GROUP}/{served}/mutatingadmissionpolicies"
    added = "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'a': 'b'}}]"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["pods"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "mutations": [mutation("Object{}"), mutation(added)],
        "matchConditions": [{"name": "a", "expression": "true"}],
        "variables": [{"name": "v", "expression": "1"}],
        "reinvocationPolicy": "IfNeeded",
    }
    body = {"kind": "MutatingAdmissionPolicy", "apiVersion": api_version}
    made = content(protobuf.send("POST", path, {**body, "metadata": {"name": name}, "spec": spec}))
    assert made == stage.api.get(f"{path}/{name}").json
    assert spec.items() <= {**made["spec"], "matchConstraints": spec["matchConstraints"]}.items()
    assert made["spec"]["matchConstraints"]["resourceRules"][0]["resources"] == ["pods"]
    assert made in [{**body, **one} for one in protobuf.get(path)["items"]]
    options = {"kind": "DeleteOptions", "apiVersion": api_version}
    assert protobuf.send("DELETE", f"{path}/{name}", options).code == 200


def test_what_comes_in_protobuf_is_changed_too(stage: Stage) -> None:
    stage.policy("p", appending("k", "added"))
    body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "m"}}
    made = content(ProtobufApi(stage.api).send("POST", f"{stage.path}/configmaps", body))
    assert made["data"] == {"k": "added"}


def test_the_official_client_writes_a_policy_that_adds_a_sidecar(
    own_server: ThreadedApiServer, stage: Stage
) -> None:
    connect: Any = config.new_client_from_config  # it has no types
    official = connect(str(own_server.kubeconfig))
    policies: Any = client.AdmissionregistrationV1beta1Api(official)
    expression = (
        "Object{spec: Object.spec{initContainers: [Object.spec.initContainers{"
        "name: 'mesh', image: 'mesh:1', restartPolicy: 'Always'}]}}"
    )
    models: Any = client
    rule = models.V1beta1NamedRuleWithOperations(
        api_groups=[""], api_versions=["v1"], operations=["CREATE"], resources=["pods"]
    )
    name = stage.namespace
    selector = models.V1LabelSelector(match_labels={"kubernetes.io/metadata.name": name})
    spec = models.V1beta1MutatingAdmissionPolicySpec(
        match_constraints=models.V1beta1MatchResources(
            resource_rules=[rule], namespace_selector=selector
        ),
        match_conditions=[
            models.V1beta1MatchCondition(
                name="no-mesh-yet",
                expression="!object.spec.?initContainers.orValue([]).exists(c, c.name == 'mesh')",
            )
        ],
        mutations=[
            models.V1beta1Mutation(
                patch_type="ApplyConfiguration",
                apply_configuration=models.V1beta1ApplyConfiguration(expression=expression),
            )
        ],
        reinvocation_policy="IfNeeded",
    )
    metadata = models.V1ObjectMeta(name=name)
    policies.create_mutating_admission_policy(
        models.V1beta1MutatingAdmissionPolicy(metadata=metadata, spec=spec)
    )
    policies.create_mutating_admission_policy_binding(
        models.V1beta1MutatingAdmissionPolicyBinding(
            metadata=metadata,
            spec=models.V1beta1MutatingAdmissionPolicyBindingSpec(policy_name=name),
        )
    )
    made = models.CoreV1Api(official).create_namespaced_pod(name, pod("p"))
    policies.delete_mutating_admission_policy(name)
    policies.delete_mutating_admission_policy_binding(name)
    (sidecar,) = made.spec.init_containers
    assert (sidecar.name, sidecar.restart_policy) == ("mesh", "Always")
    # defaulted, and seen by the plugins of the server once more
    assert sidecar.image_pull_policy == "IfNotPresent"
    assert [one.name for one in sidecar.volume_mounts] == [made.spec.volumes[0].name]


def test_a_patch_has_variables_params_and_the_namespace(stage: Stage) -> None:
    stage.config_map("limits", data={"owner": "ops"})
    stage.policy(
        "p",
        "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'owner': params.data.owner,"
        " 'by': request.userInfo.username, 'in': variables.place}}]",
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        variables=[{"name": "place", "expression": "namespaceObject.metadata.name"}],
        binding={"paramRef": {"name": "limits", "parameterNotFoundAction": "Deny"}},
    )
    made = stage.config_map("a").json
    assert made["metadata"]["labels"] == {
        "owner": "ops",
        "by": "kubernetes-admin",
        "in": stage.namespace,
    }
    assert stage.api.delete(f"{stage.path}/configmaps/limits").code == 200
    wait_until(lambda: stage.config_map("b", "?dryRun=All").code == 403, "the params are gone")
    refused = stage.config_map("b")
    name = f"{stage.namespace}-p"
    message = (
        f"policy '{name}' with binding '{name}' denied request: failed to configure binding: no "
        "params found for policy binding with `Deny` parameterNotFoundAction"
    )
    assert (refused.code, refused.reason, refused.message) == (403, "Forbidden", message)


def test_updates_and_subresources_are_changed_and_deletions_pass(stage: Stage) -> None:
    stage.policy("p", "Object{spec: Object.spec{replicas: 3}}", matchConstraints={
        "resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"],
                           "resources": ["deployments", "deployments/scale"]}]})  # fmt: skip
    path = f"/apis/apps/v1/namespaces/{stage.namespace}/deployments"
    assert stage.api.post(path, deployment("d", 1)).json["spec"]["replicas"] == 3
    scaled = stage.api.patch(f"{path}/d/scale", {"spec": {"replicas": 7}})
    assert scaled.json["spec"]["replicas"] == 3
    updated = stage.api.patch(f"{path}/d", {"spec": {"replicas": 5}})
    assert updated.json["spec"]["replicas"] == 3
    assert stage.api.delete(f"{path}/d").code == 200


def test_policies_come_by_name_and_those_that_ask_for_it_again(stage: Stage) -> None:
    stage.policy("a", appending("order", "a"), reinvocationPolicy="IfNeeded")
    stage.policy("b", appending("order", "b"), appending("order", "B"))
    made = stage.config_map("c", data={})
    assert made.json["data"] == {"order": "abBa"}


def test_they_come_before_webhooks_and_are_asked_again_after_these(
    stage: Stage, webhook_peer: WebhookPeer
) -> None:
    webhook_peer.forget()
    stage.policy("p", appending("order", "p"), reinvocationPolicy="IfNeeded")
    hooks = WebhookStage(stage.api, webhook_peer, stage.namespace)
    change = {"op": "add", "path": "/data/hook", "value": "yes"}
    with hooks.answering(MUTATING, {"/changes": patching(change)}):
        made = stage.config_map("c", data={})
    (asked,) = webhook_peer.requests_at("/changes")
    assert asked["object"]["data"] == {"order": "p"}
    assert made.json["data"] == {"order": "pp", "hook": "yes"}
    with hooks.answering(MUTATING, {"/sees": allowed()}):
        assert stage.config_map("d", data={}).json["data"] == {"order": "p"}


def test_what_cannot_be_evaluated_is_what_the_failure_policy_makes_of_it(stage: Stage) -> None:
    broken = "Object{data: {'a': object.data.none}}"
    stage.policy("open", broken, failurePolicy="Ignore")
    assert stage.config_map("a", data={}).json.get("data", {}) == {}
    stage.policy("closed", broken)
    refused = stage.config_map("b", data={})
    name = f"{stage.namespace}-closed"
    message = (
        f"policy '{name}' with binding '{name}' denied request: expression '{broken}' resulted in "
        "error: no such key: none"
    )
    assert (refused.code, refused.reason) == (403, "Invalid")
    assert refused.message.startswith(message.partition(": no such")[0])
    (cause,) = refused.json["details"]["causes"]
    assert cause == {"message": refused.message}


def test_patches_that_make_no_object_of_the_kind_are_errors_of_the_server(stage: Stage) -> None:
    stage.policy("p", "[JSONPatch{op: 'add', path: '/unknown', value: 1}]", failurePolicy="Ignore")
    refused = stage.config_map("a")
    assert (refused.code, refused.reason) == (500, "InternalError")
    assert refused.message == (
        'Internal error occurred: strict decoding error: unknown field "unknown"'
    )
    assert stage.api.get("/readyz").text == "ok"


def test_what_policies_make_is_validated(stage: Stage) -> None:
    stage.policy("p", "Object{metadata: Object.metadata{labels: {'a b': 'c'}}}")
    refused = stage.config_map("a")
    assert (refused.code, refused.reason) == (422, "Invalid")


def test_policies_meet_no_policies(stage: Stage) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"]}
    label = "Object{metadata: Object.metadata{labels: {'a': 'b'}}}"
    rules = [{**everything, "resources": ["*"]}]
    condition = {"name": "mine", "expression": f"object.metadata.name == '{stage.namespace}-q'"}
    stage.policy(
        "p", label, matchConstraints={"resourceRules": rules}, matchConditions=[condition],
        binding={"matchResources": None},
    )  # fmt: skip
    stage.policy("q", "Object{}")
    found = stage.api.get(f"{GROUP}/v1beta1/mutatingadmissionpolicies/{stage.namespace}-q").json
    assert "labels" not in found["metadata"]


def test_params_are_for_those_who_may_read_them(
    stage: Stage, own_server: ThreadedApiServer, tmp_path: Path
) -> None:
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    group = "rbac.authorization.k8s.io"
    role: Object = {
        "metadata": {"name": "mutators"},
        "rules": [
            {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]}
        ],
    }
    binding = {
        "metadata": {"name": "mutators"},
        "subjects": [{"kind": "User", "name": "mia", "apiGroup": group}],
        "roleRef": {"kind": "ClusterRole", "name": "mutators", "apiGroup": group},
    }
    for plural, obj in (("clusterroles", role), ("clusterrolebindings", binding)):
        assert stage.api.post(f"{rbac}/{plural}", obj).code == 201
    stage.policy("p", "Object{}")
    path = f"{GROUP}/v1beta1/mutatingadmissionpolicies"
    found = stage.api.get(f"{path}/{stage.namespace}-p").json
    changed = copy.deepcopy(found)
    changed["spec"]["paramKind"] = {"apiVersion": "v1", "kind": "Secret"}
    with ExitStack() as stack:
        mia = stack.enter_context(person(own_server, tmp_path, "mia"))
        refused = mia.put(f"{path}/{stage.namespace}-p", changed)
        assert refused.code == 422
        assert "spec.paramKind: Forbidden: user &{mia  [system:authenticated]" in refused.message
        assert mia.put(f"{path}/{stage.namespace}-p", found).code == 200


def test_custom_resources_are_changed_by_their_schemas(stage: Stage) -> None:
    text = {"type": "string"}
    ports = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": {"name": text, "a": text}},
    }
    size = {"type": "string", "default": "small"}
    spec = {"type": "object", "properties": {"ports": ports, "size": size}}
    schema = {"type": "object", "properties": {"spec": spec}}
    with established(stage.api, stage.namespace, definition(version(schema=schema))) as foos:
        rule = {
            "apiGroups": [foos.group],
            "apiVersions": ["*"],
            "operations": ["CREATE"],
            "resources": [foos.plural],
        }
        item = "Object.spec.ports{name: 'http', a: 'b'}"
        stage.policy(
            "p",
            f"Object{{spec: Object.spec{{ports: [{item}]}}}}",
            matchConstraints={"resourceRules": [rule]},
        )
        given = foos.obj("cr", spec={"ports": [{"name": "http"}, {"name": "dns"}]})
        made = stage.api.post(foos.path(), given)
        assert made.json["spec"] == {
            "ports": [{"name": "http", "a": "b"}, {"name": "dns"}],
            "size": "small",
        }
        stage.policy(
            "q",
            "Object{spec: Object.spec{other: 'x'}}",
            matchConstraints={"resourceRules": [rule]},
        )
        refused = stage.api.post(foos.path(), foos.obj("other"))
        assert refused.code == 403
        assert ".spec.other: field not declared in schema" in refused.message


def test_a_dry_run_is_changed_too(stage: Stage) -> None:
    stage.policy("p", appending("order", "p"))
    body = {"metadata": {"name": "a"}, "data": {}}
    made = stage.api.post(f"{stage.path}/configmaps?dryRun=All", body)
    assert made.json["data"] == {"order": "p"}
    assert stage.api.get(f"{stage.path}/configmaps/a").code == 404
