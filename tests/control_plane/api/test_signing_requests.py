"""Certificate signing requests: who may change what, rules, and the table."""

import base64
import copy
from typing import Any

import pytest

from control_plane.api.preparation import prepare_for_update
from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS
from control_plane.api.validation import validate_update
from tests.control_plane.api.valid_objects import Obj, cells, complete, create_errors, named, shown
from tests.control_plane.apiserver.minimal_objects import signing_request

NOW = "2026-01-01T00:00:00Z"
PEM = signing_request()


def request(**spec: Any) -> Obj:
    fields = {"request": PEM, "signerName": "a.example/s", "usages": ["client auth"], **spec}
    return named(CERTIFICATESIGNINGREQUESTS, spec=fields)


def condition(kind: str, status: str = "True") -> Obj:
    return {"type": kind, "status": status}


def changed(old_status: Obj, new_status: Obj, subresource: str) -> tuple[Obj, list[str]]:
    """Return what an update makes of a status, and what validation has against it."""
    old = complete(CERTIFICATESIGNINGREQUESTS, request())
    old["metadata"]["resourceVersion"] = "1"
    old["status"] = old_status
    new = {**copy.deepcopy(old), "spec": {}, "status": copy.deepcopy(new_status)}
    prepare_for_update(CERTIFICATESIGNINGREQUESTS, new, old, now=NOW, subresource=subresource)
    assert new["spec"] == old["spec"]
    errors = validate_update(CERTIFICATESIGNINGREQUESTS, new, old, subresource=subresource)
    return new["status"], shown(errors)


def test_a_request_is_valid_and_starts_undecided() -> None:
    assert create_errors(CERTIFICATESIGNINGREQUESTS, request()) == []
    approved = {**request(), "status": {"conditions": [condition("Approved")]}}
    assert complete(CERTIFICATESIGNINGREQUESTS, approved)["status"] == {}


BROKEN: list[tuple[Obj, str]] = [
    (
        request(request=base64.b64encode(b"nothing").decode()),
        "PEM block type must be CERTIFICATE REQUEST",
    ),
    (request(usages=[]), "spec.usages: Required value"),
    (request(usages=["any", "any"]), 'spec.usages[1]: Duplicate value: "any"'),
    (
        request(signerName="s"),
        'spec.signerName: Invalid value: "s": must be a fully qualified domain and path of the '
        "form 'example.com/signer-name'",
    ),
    (
        request(signerName="a/s"),
        'spec.signerName: Invalid value: "a/s": should be a domain with at least two segments '
        "separated by dots",
    ),
    (
        request(signerName="kubernetes.io/legacy-unknown"),
        'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is '
        "not allowed via this API version",
    ),
    (
        request(expirationSeconds=5),
        "spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 "
        "seconds (10 minutes)",
    ),
]


@pytest.mark.parametrize(("obj", "message"), BROKEN)
def test_a_broken_field_is_named(obj: Obj, message: str) -> None:
    errors = create_errors(CERTIFICATESIGNINGREQUESTS, obj)
    assert any(message in error for error in errors), errors


def test_an_unknown_usage_is_told_which_there_are() -> None:
    (error,) = create_errors(CERTIFICATESIGNINGREQUESTS, request(usages=["flying"]))
    assert error.startswith('spec.usages[0]: Unsupported value: "flying": supported values: "any"')


def test_an_approval_takes_conditions_only() -> None:
    wanted = {"conditions": [condition("Approved")], "certificate": "eA=="}
    status, errors = changed({}, wanted, "approval")
    times = {"lastUpdateTime": NOW, "lastTransitionTime": NOW}
    assert status == {"conditions": [{**condition("Approved"), **times}]}
    assert errors == []


def test_the_main_endpoint_changes_neither() -> None:
    assert changed({}, {"conditions": [condition("Approved")]}, "") == ({}, [])


@pytest.mark.parametrize(
    ("old", "new", "subresource", "message"),
    [
        (
            {"conditions": [condition("Approved")]},
            {"conditions": []},
            "approval",
            'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
        ),
        (
            {},
            {"conditions": [condition("Approved"), condition("Denied")]},
            "approval",
            'status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions '
            "are mutually exclusive",
        ),
        (
            {},
            {"conditions": [condition("Approved", "False")]},
            "approval",
            'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
        ),
        (
            {},
            {"conditions": [condition("Approved")]},
            "status",
            'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
        ),
        (
            {},
            {"certificate": PEM},
            "status",
            'status.certificate: Invalid value: "<certificate data>": only CERTIFICATE PEM blocks '
            'are allowed, found "CERTIFICATE REQUEST"',
        ),
        (
            {"certificate": "eA=="},
            {"certificate": "eQ=="},
            "status",
            "status.certificate: Forbidden: updates may not modify existing certificate content",
        ),
    ],
)
def test_what_is_decided_stays(old: Obj, new: Obj, subresource: str, message: str) -> None:
    assert message in changed(old, new, subresource)[1]


def test_the_table() -> None:
    decided = {"conditions": [condition("Approved"), condition("Failed")], "certificate": "x"}
    obj = {**request(username="me", expirationSeconds=7200), "status": decided}
    assert cells(CERTIFICATESIGNINGREQUESTS, obj) == [
        ("Name", "x"), ("Age", "2d"), ("SignerName", "a.example/s"), ("Requestor", "me"),
        ("RequestedDuration", "120m"), ("Condition", "Approved,Failed,Issued"),
    ]  # fmt: skip
    assert dict(cells(CERTIFICATESIGNINGREQUESTS, {}))["Condition"] == "Pending"
