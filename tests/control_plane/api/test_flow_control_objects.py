"""FlowSchemas and PriorityLevelConfigurations: defaults, rules, tables."""

import copy
from typing import Any

import pytest

from control_plane.api.apply import endpoint_of
from control_plane.api.flow_bootstrap import (
    MANDATORY_LEVELS,
    MANDATORY_SCHEMAS,
    SUGGESTED_LEVELS,
    SUGGESTED_SCHEMAS,
    bootstrap_objects,
)
from control_plane.api.preparation import prepare_for_update, strategy_for
from control_plane.api.resources import FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS, Resource
from control_plane.api.tables import view_for
from tests.control_plane.api.valid_objects import (
    Obj,
    broken,
    cells,
    complete,
    create_errors,
    named,
    update_errors,
)

USER = {"kind": "User", "user": {"name": "u"}}
GET_PODS: Obj = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["*"]}
GET_HEALTH: Obj = {"verbs": ["get"], "nonResourceURLs": ["/healthz"]}


def schema(name: str = "x", **spec: Any) -> Obj:
    wanted = {"priorityLevelConfiguration": {"name": "global-default"}, **copy.deepcopy(spec)}
    return {"metadata": {"name": name}, "spec": wanted}


def with_rule(**rule: Any) -> Obj:
    return schema(rules=[{"subjects": [USER], "resourceRules": [GET_PODS], **rule}])


def with_subject(**subject: Any) -> Obj:
    return with_rule(subjects=[subject])


def level(name: str = "x", **spec: Any) -> Obj:
    return {"metadata": {"name": name}, "spec": {"type": "Limited", **copy.deepcopy(spec)}}


def limited(**fields: Any) -> Obj:
    return level(limited={"limitResponse": {"type": "Reject"}, **fields})


def queuing(**fields: Any) -> Obj:
    return limited(limitResponse={"type": "Queue", "queuing": fields})


def test_defaults() -> None:
    assert complete(FLOWSCHEMAS, schema())["spec"]["matchingPrecedence"] == 1000
    spec = complete(PRIORITYLEVELCONFIGURATIONS, queuing())["spec"]["limited"]
    assert (spec["nominalConcurrencyShares"], spec["lendablePercent"]) == (30, 0)
    expected = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}
    assert spec["limitResponse"]["queuing"] == expected
    kept = complete(PRIORITYLEVELCONFIGURATIONS, limited(nominalConcurrencyShares=0))
    assert kept["spec"]["limited"]["nominalConcurrencyShares"] == 0
    exempt = complete(PRIORITYLEVELCONFIGURATIONS, level("exempt", type="Exempt", exempt={}))
    assert exempt["spec"]["exempt"] == {"nominalConcurrencyShares": 0, "lendablePercent": 0}


def test_halves_are_written_through_their_own_endpoints() -> None:
    sent = {**schema(), "status": {"conditions": [{"type": "Dangling"}]}}
    stored = complete(FLOWSCHEMAS, sent)
    assert stored["status"] == {}
    assert stored["metadata"]["generation"] == 1
    new = schema(matchingPrecedence=7)
    prepare_for_update(FLOWSCHEMAS, new, stored, now="2026-01-01T00:00:00Z")
    assert new["metadata"]["generation"] == 2
    new = schema(matchingPrecedence=7)
    new["metadata"]["labels"] = {"a": "b"}
    prepare_for_update(FLOWSCHEMAS, new, stored, now="", subresource="status")
    assert new["spec"] == stored["spec"]
    assert "labels" not in new["metadata"]
    assert not strategy_for(FLOWSCHEMAS).create_on_update
    assert endpoint_of(FLOWSCHEMAS, "status").reset is not None


@pytest.mark.parametrize(
    ("resource", "specs", "count"),
    [
        (FLOWSCHEMAS, MANDATORY_SCHEMAS, 2),
        (FLOWSCHEMAS, SUGGESTED_SCHEMAS, 9),
        (PRIORITYLEVELCONFIGURATIONS, MANDATORY_LEVELS, 2),
        (PRIORITYLEVELCONFIGURATIONS, SUGGESTED_LEVELS, 6),
    ],
)
def test_what_every_cluster_has_is_valid(
    resource: Resource, specs: dict[str, Obj], count: int
) -> None:
    made = list(bootstrap_objects(specs))
    assert len(made) == count
    for obj in made:
        assert create_errors(resource, obj) == []


WRONG_VERBS = (
    'Unsupported value: ["post"]: supported values: "create", "delete", "deletecollection", '
    '"get", "list", "patch", "proxy", "update", "watch"'
)
RULE = "spec.rules[0]"
BAD_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)

SCHEMA_CASES = broken(
    FLOWSCHEMAS,
    (schema(matchingPrecedence=-1),
     "spec.matchingPrecedence: Invalid value: -1: must be a positive value"),
    (schema(matchingPrecedence=10001),
     "spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000"),
    (schema(matchingPrecedence=1),
     "spec.matchingPrecedence: Invalid value: 1: "
     "only the schema named 'exempt' may have matchingPrecedence 1"),
    (schema(distinguisherMethod={"type": "ByVerb"}),
     'spec.distinguisherMethod.type: Unsupported value: {"type":"ByVerb"}: '
     'supported values: "ByNamespace", "ByUser"'),
    (schema(priorityLevelConfiguration={"name": ""}),
     "spec.priorityLevelConfiguration.name: Required value: must reference a priority level"),
    (with_rule(subjects=[]),
     f"{RULE}.subjects: Required value: subjects must contain at least one value"),
    (with_rule(resourceRules=[]),
     f"{RULE}: Required value: "
     "at least one of resourceRules and nonResourceRules has to be non-empty"),
    (with_subject(kind="Robot"),
     f'{RULE}.subjects[0].kind: Unsupported value: "Robot": '
     'supported values: "Group", "ServiceAccount", "User"'),
    (with_subject(kind="User"),
     f"{RULE}.subjects[0].user: Required value: user is required when subject kind is 'User'"),
    (with_subject(kind="User", user={"name": "u"}, group={"name": "g"}),
     f"{RULE}.subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'"),
    (with_subject(kind="Group", group={"name": ""}),
     f"{RULE}.subjects[0].group.name: Required value"),
    (with_subject(kind="ServiceAccount", serviceAccount={"name": "*"}),
     f"{RULE}.subjects[0].serviceAccount.namespace: Required value: "
     "must specify namespace for service account"),
    (with_rule(resourceRules=[{**GET_PODS, "verbs": []}]),
     f"{RULE}.resourceRules[0].verbs: Required value: verbs must contain at least one value"),
    (with_rule(resourceRules=[{**GET_PODS, "verbs": ["*", "get"]}]),
     f'{RULE}.resourceRules[0].verbs: Invalid value: ["*","get"]: '
     "if '*' is present, must not specify other verbs"),
    (with_rule(resourceRules=[{**GET_PODS, "verbs": ["post"]}]),
     f"{RULE}.resourceRules[0].verbs: {WRONG_VERBS}"),
    (with_rule(resourceRules=[{**GET_PODS, "apiGroups": []}]),
     f"{RULE}.resourceRules[0].apiGroups: Required value: "
     "resource rules must supply at least one api group"),
    (with_rule(resourceRules=[{**GET_PODS, "namespaces": []}]),
     f"{RULE}.resourceRules[0].namespaces: Required value: "
     "resource rules that are not cluster scoped must supply at least one namespace"),
    (with_rule(resourceRules=[{**GET_PODS, "namespaces": ["A"]}]),
     f'{RULE}.resourceRules[0].namespaces[0]: Invalid value: "A": '
     f"each member of this list must be '*' or a DNS-1123 label; {BAD_LABEL}"),
    *(
        (with_rule(nonResourceRules=[{**GET_HEALTH, "nonResourceURLs": [url]}]),
         f'{RULE}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "{url}": {why}')
        for url, why in (
            ("", "must not be empty"),
            ("x", "must start with slash"),
            ("/a b", "must not contain white-space"),
            ("/a//b", "must not contain double slash"),
            ("/a*", "wildcard can only do suffix matching"),
            ("/*/a", "wildcard can only do suffix matching"),
        )
    ),
)  # fmt: skip
RESPONSE = "spec.limited.limitResponse"
LEVEL_CASES = broken(
    PRIORITYLEVELCONFIGURATIONS,
    (level(type="Exempt", exempt={}),
     'spec.type: Invalid value: "Exempt": '
     "type must be 'Exempt' if and only if name is 'exempt'"),
    (level(type="Other"),
     'spec.type: Unsupported value: "Other": supported values: "Exempt", "Limited"'),
    (level(), "spec.limited: Required value: must not be empty when type is Limited"),
    (level(exempt={}, limited={"limitResponse": {"type": "Reject"}}),
     "spec.exempt: Forbidden: must be nil if the type is Limited"),
    (limited(nominalConcurrencyShares=-1),
     "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer"),
    (limited(lendablePercent=101),
     "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive"),
    (limited(borrowingLimitPercent=-1),
     "spec.limited.borrowingLimitPercent: Invalid value: -1: "
     "if specified, must be a non-negative integer"),
    (limited(limitResponse={"type": "Wait"}),
     f'{RESPONSE}.type: Unsupported value: "Wait": supported values: "Queue", "Reject"'),
    (limited(limitResponse={"type": "Queue"}),
     f"{RESPONSE}.queuing: Required value: "
     "must not be empty if limited.limitResponse.type is Limited"),
    (limited(limitResponse={"type": "Reject", "queuing": {}}),
     f"{RESPONSE}.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited"),
    (queuing(queues=-1), f"{RESPONSE}.queuing.queues: Invalid value: -1: must be positive"),
    (queuing(queues=10_000_001),
     f"{RESPONSE}.queuing.queues: Invalid value: 10000001: must not be greater than 10000000"),
    (queuing(queues=4),
     f"{RESPONSE}.queuing.handSize: Invalid value: 8: should not be greater than queues (4)"),
    (queuing(queues=1000, handSize=9),
     f"{RESPONSE}.queuing.handSize: Invalid value: 9: required entropy bits of deckSize 1000 and "
     "handSize 9 should not be greater than 60"),
    (queuing(queueLengthLimit=-1),
     f"{RESPONSE}.queuing.queueLengthLimit: Invalid value: -1: must be positive"),
)  # fmt: skip


@pytest.mark.parametrize(("resource", "obj", "message"), [*SCHEMA_CASES, *LEVEL_CASES])
def test_refused(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


def test_mandatory_specs_are_fixed() -> None:
    (exempt, catch_all) = bootstrap_objects(MANDATORY_LEVELS)
    changed = copy.deepcopy(catch_all)
    changed["spec"]["limited"]["nominalConcurrencyShares"] = 6
    errors = update_errors(PRIORITYLEVELCONFIGURATIONS, changed, catch_all)
    assert [error.rpartition(": ")[2] for error in errors] == [
        "spec of 'catch-all' must equal the fixed value"
    ]
    changed = copy.deepcopy(exempt)
    changed["spec"]["exempt"]["nominalConcurrencyShares"] = 6
    assert update_errors(PRIORITYLEVELCONFIGURATIONS, changed, exempt) == []
    changed["spec"] = limited()["spec"]
    assert any(
        "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value" in error
        for error in update_errors(PRIORITYLEVELCONFIGURATIONS, changed, exempt)
    )
    (schema_of_masters, _) = bootstrap_objects(MANDATORY_SCHEMAS)
    changed = copy.deepcopy(schema_of_masters)
    changed["spec"]["rules"] = []
    assert any(
        "spec of 'exempt' must equal the fixed value" in error
        for error in update_errors(FLOWSCHEMAS, changed, schema_of_masters)
    )


def test_conditions_have_types_of_their_own() -> None:
    new = {**schema(), "status": {"conditions": [{"type": "A"}, {"type": "A"}, {"type": ""}]}}
    assert update_errors(FLOWSCHEMAS, new, schema(), "status") == [
        'status.conditions[1].type: Duplicate value: "A"',
        "status.conditions[2].type: Required value: must not be empty",
    ]


def test_tables() -> None:
    obj = named(FLOWSCHEMAS, **schema(matchingPrecedence=7))
    assert [cell for _, cell in cells(FLOWSCHEMAS, obj)] == [
        "x", "global-default", 7, "<none>", "2d", "?",
    ]  # fmt: skip
    obj["spec"]["distinguisherMethod"] = {"type": "ByUser"}
    obj["status"] = {"conditions": [{"type": "Dangling", "status": "False"}]}
    assert [cell for _, cell in cells(FLOWSCHEMAS, obj)][3:] == ["ByUser", "2d", "False"]
    row = cells(PRIORITYLEVELCONFIGURATIONS, complete(PRIORITYLEVELCONFIGURATIONS, queuing()))
    assert [cell for _, cell in row][:6] == ["x", "Limited", 30, 64, 8, 50]
    assert [heading for heading, _ in row][2:] == [
        "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit", "Age",
    ]  # fmt: skip
    exempt = named(PRIORITYLEVELCONFIGURATIONS, spec={"type": "Exempt", "exempt": {}})
    row = cells(PRIORITYLEVELCONFIGURATIONS, exempt)
    assert [cell for _, cell in row][1:6] == ["Exempt", *["<none>"] * 4]


def test_schemas_are_listed_as_they_match() -> None:
    order = view_for(FLOWSCHEMAS).order
    assert order is not None
    objects = [schema("b", matchingPrecedence=9), schema("a", matchingPrecedence=10), schema("c")]
    objects[2]["spec"]["matchingPrecedence"] = 9
    assert [obj["metadata"]["name"] for obj in sorted(objects, key=order)] == ["b", "c", "a"]
