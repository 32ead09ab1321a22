"""Mutating admission policies: what is refused, and what mutations make of objects."""

import copy
from typing import Any

import pytest

from control_plane.api.apply.shapes import shape_for
from control_plane.api.conversion import in_stored_version
from control_plane.api.defaults import apply_defaults
from control_plane.api.policies.mutating import compiled_mutating
from control_plane.api.policies.mutation import MutationError, mutated
from control_plane.api.resources import (
    MUTATINGADMISSIONPOLICIES,
    MUTATINGADMISSIONPOLICYBINDINGS,
    OFF_BY_DEFAULT,
    RESOURCES,
    Resource,
)
from control_plane.api.tables import view_for
from control_plane.api.validation import validate_create
from tests.control_plane.apiserver.objects import deployment

Object = dict[str, Any]
API_VERSION = "admissionregistration.k8s.io/v1beta1"
RULE = {
    "apiGroups": ["apps"],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["deployments"],
}


def applying(expression: str) -> Object:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patching(expression: str) -> Object:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def policy(*mutations: Object, **spec: Any) -> Object:
    made: Object = {
        "apiVersion": API_VERSION,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {
            "matchConstraints": {"resourceRules": [copy.deepcopy(RULE)]},
            "mutations": list(mutations) or [applying("Object{}")],
            "reinvocationPolicy": "Never",
            **spec,
        },
    }
    apply_defaults(MUTATINGADMISSIONPOLICIES, made)
    return made


def errors_of(resource: Resource, obj: Object) -> list[str]:
    return [str(error) for error in validate_create(resource, obj)]


def test_they_are_no_resources_unless_they_are_asked_for() -> None:
    assert not {row.api_version for row in OFF_BY_DEFAULT} & {row.api_version for row in RESOURCES}
    alpha = OFF_BY_DEFAULT[2]
    stored = in_stored_version(alpha, {**policy(), "apiVersion": alpha.api_version})
    assert stored == policy()


def test_the_smallest_policy_is_valid_and_defaulted() -> None:
    made = policy()
    assert errors_of(MUTATINGADMISSIONPOLICIES, made) == []
    assert made["spec"]["failurePolicy"] == "Fail"
    assert made["spec"]["matchConstraints"]["matchPolicy"] == "Equivalent"
    view = view_for(MUTATINGADMISSIONPOLICIES)
    assert [column.name for column in view.columns] == ["Name", "Mutations", "ParamKind", "Age"]


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({"mutations": []}, [
            "spec.mutations: Required value: mutations must contain at least one item"]),
        ({"reinvocationPolicy": ""}, ["spec.reinvocationPolicy: Required value"]),
        ({"reinvocationPolicy": "Once"}, [
            'spec.reinvocationPolicy: Unsupported value: "Once": supported values: "Never", '
            '"IfNeeded"']),
        ({"matchConstraints": None}, ["spec.matchConstraints: Required value"]),
        ({"matchConstraints": {"resourceRules": [{**RULE, "operations": ["DELETE"]}]}}, [
            'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": '
            'supported values: "*", "CONNECT", "CREATE", "UPDATE"']),
        ({"mutations": [{}]}, ["spec.mutations[0].patchType: Required value"]),
        ({"mutations": [{"patchType": "Merge"}]}, [
            'spec.mutations[0].patchType: Unsupported value: "Merge": supported values: '
            '"ApplyConfiguration", "JSONPatch"']),
        ({"mutations": [{"patchType": "JSONPatch"}]}, [
            "spec.mutations[0].jsonPatch: Required value: must be specified when patchType is "
            "JSONPatch"]),
        ({"mutations": [{**applying("Object{}"), "jsonPatch": {"expression": "[]"}}]}, [
            'spec.mutations[0].jsonPatch: Invalid value: "{jsonPatch}": must not be specified '
            "when patchType is ApplyConfiguration"]),
        ({"mutations": [applying(" ")]}, [
            "spec.mutations[0].applyConfiguration.expression: Required value"]),
        ({"mutations": [applying("'a'")]}, [
            'spec.mutations[0].applyConfiguration.expression: Invalid value: "\'a\'": must '
            "evaluate to Object but got string"]),
        ({"mutations": [patching("JSONPatch{}")]}, [
            'spec.mutations[0].jsonPatch.expression: Invalid value: "JSONPatch{}": must evaluate '
            "to list(JSONPatch) but got JSONPatch"]),
        ({"variables": [{"name": "in", "expression": "1"}]}, [
            'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier']),
        ({"variables": [{"name": "a", "expression": "Object{}"}]}, [
            'spec.variables[0].expression: Invalid value: "Object{}": compilation failed: ERROR: '
            "<input>:1:1: undeclared reference to 'Object' (in container '')\n | Object{}\n"
            " | ^"]),
    ],
)  # fmt: skip
def test_policies_that_make_no_sense(spec: Object, errors: list[str]) -> None:
    assert errors_of(MUTATINGADMISSIONPOLICIES, policy(**spec)) == errors


def test_bindings_that_make_no_sense() -> None:
    binding: Object = {
        "apiVersion": API_VERSION,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": "b"},
        "spec": {"paramRef": {}, "matchResources": {"resourceRules": [dict(RULE)]}},
    }
    binding["spec"]["matchResources"]["resourceRules"][0]["operations"] = ["DELETE"]
    apply_defaults(MUTATINGADMISSIONPOLICYBINDINGS, binding)
    assert errors_of(MUTATINGADMISSIONPOLICYBINDINGS, binding) == [
        "spec.policyName: Required value",
        "spec.paramRef: Required value: one of name or selector must be specified",
        "spec.paramRef.parameterNotFoundAction: Required value",
        'spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": supported '
        'values: "*", "CONNECT", "CREATE", "UPDATE"',
    ]


def after(mutation: Object, obj: Object | None = None, **spec: Any) -> Object:
    made = compiled_mutating(policy(mutation, **spec))
    before = obj or deployment("d", 1)
    untouched = copy.deepcopy(before)
    shape = shape_for("apps/v1", "Deployment")
    result = mutated(made, made.mutations[0], {"object": before}, shape)
    assert before == untouched
    return result


def test_a_configuration_is_merged_as_by_an_apply() -> None:
    sidecar = 'Object.spec.template.spec.containers{name: "s", image: "i"}'
    config = (
        "Object{spec: Object.spec{replicas: object.spec.replicas + 1, template: "
        f"Object.spec.template{{spec: Object.spec.template.spec{{containers: [{sidecar}]}}}}}},"
        'metadata: Object.metadata{labels: {"a": "b"}, ?annotations: optional.none()}}'
    )
    result = after(applying(config))
    assert result["spec"]["replicas"] == 2
    assert [one["name"] for one in result["spec"]["template"]["spec"]["containers"]] == ["c", "s"]
    assert result["metadata"]["labels"]["a"] == "b"
    assert "annotations" not in result["metadata"]


def test_a_list_of_operations_is_applied() -> None:
    result = after(
        patching(
            "[JSONPatch{op: 'test', path: '/spec/replicas', value: 1},"
            "JSONPatch{op: 'replace', path: '/spec/minReadySeconds', value: 3},"
            "JSONPatch{op: 'add', path: '/metadata/annotations', value: {}},"
            "JSONPatch{op: 'add', path: '/metadata/annotations/' + jsonpatch.escapeKey('a/b~c'),"
            " value: variables.name},"
            "JSONPatch{op: 'add', path: '/spec/template/spec/containers/-',"
            " value: Object.spec.template.spec.containers{name: 's', image: 'i'}}]"
        ),
        variables=[{"name": "name", "expression": "object.metadata.name"}],
    )
    assert result["spec"]["minReadySeconds"] == 3
    assert result["metadata"]["annotations"] == {"a/b~c": "d"}
    assert result["spec"]["template"]["spec"]["containers"][-1] == {"name": "s", "image": "i"}


def test_a_patch_whose_test_fails_changes_nothing() -> None:
    expression = (
        "[JSONPatch{op: 'add', path: '/spec/replicas', value: 9},"
        "JSONPatch{op: 'test', path: '/spec/replicas', value: 100}]"
    )
    assert after(patching(expression)) == deployment("d", 1)


@pytest.mark.parametrize(
    ("mutation", "text"),
    [
        (applying("Object{spec: Object.specx{replicas: 1}}"),
         'type mismatch: unexpected type name "Object.specx", expected "Object.spec", which '
         "matches field name path from root Object type"),
        (applying("Object{spec: Object.spec{replicasx: 1}}"),
         "error applying patch: failed to convert patch object to typed object: .spec.replicasx: "
         "field not declared in schema"),
        (applying("Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: "
                  "{'l': 'v'}}}}"),
         "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or "
         "structs: .spec.selector"),
        (applying("Object{spec: Object.spec{replicas: object.spec.none}}"),
         "expression 'Object{spec: Object.spec{replicas: object.spec.none}}' resulted in error: no "
         "such key: none"),
        (patching("[JSONPatch{op: 'remove', path: '/spec/none'}]"),
         "JSON Patch: remove operation does not apply: doc is missing path: /spec/none: missing "
         "value"),
        (patching("[JSONPatch{op: 'replace', path: '/spec/template/spec/containers/-', value: 1}]"),
         "JSON Patch: replace operation does not apply: doc is missing path: "
         "/spec/template/spec/containers/-: missing value"),
        (patching("[JSONPatch{op: 'merge', path: '/spec'}]"), "JSON Patch: Unexpected kind: merge"),
        (patching("[JSONPatch{op: 'add', path: '/spec', value: Object.spec{a: Object.a{}}}]"),
         'type mismatch: unexpected type name "Object.a", expected "Object.spec.a", which matches '
         "field name path from root Object type"),
        (patching("[JSONPatch{op: 'add', path: '/spec', value: quantity('1')}]"),
         "unsupported native conversion from kubernetes.Quantity to JSON"),
        (patching("lists.range(2000000).map(x, JSONPatch{op: 'add', path: '/a'})"),
         "expression 'lists.range(2000000).map(x, JSONPatch{op: 'add', path: '/a'})' resulted in "
         "error: operation cancelled: actual cost limit exceeded"),
    ],
)  # fmt: skip
def test_mutations_that_cannot_be_made(mutation: Object, text: str) -> None:
    with pytest.raises(MutationError) as refused:
        after(mutation)
    assert str(refused.value) == text
