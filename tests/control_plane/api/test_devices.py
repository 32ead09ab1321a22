"""Claims for devices, classes and slices: what is filled in, dropped, refused and shown."""

import copy
import datetime
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import prepare_for_create, prepare_for_update
from control_plane.api.resources import (
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCECLAIMTEMPLATES,
    RESOURCESLICES,
    Resource,
)
from control_plane.api.tables import view_for
from control_plane.api.validation import validate_create, validate_update
from tests.control_plane.apiserver.minimal_objects import minimal_object

Object = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"
NOT_A_REQUEST = (
    "must be the name of a request in the claim or the name of a request and a subrequest "
    "separated by '/'"
)


def made(resource: Resource) -> Object:
    obj = copy.deepcopy(minimal_object(resource, "a", "ns"))
    if resource.namespaced:
        obj["metadata"]["namespace"] = "ns"
    apply_defaults(resource, obj)
    return obj


def errors_of(resource: Resource, obj: Object) -> list[str]:
    return [str(error) for error in validate_create(resource, obj)]


def devices_of(claim: Object) -> Any:
    return claim["spec"]["devices"]


@pytest.mark.parametrize(
    "resource",
    [DEVICECLASSES, RESOURCECLAIMS, RESOURCECLAIMTEMPLATES, RESOURCESLICES],
    ids=lambda r: r.plural,
)
def test_the_smallest_object_is_valid(resource: Resource) -> None:
    assert errors_of(resource, made(resource)) == []


def test_a_request_is_for_one_device() -> None:
    exactly = devices_of(made(RESOURCECLAIMS))["requests"][0]["exactly"]
    assert exactly == {"deviceClassName": "c", "allocationMode": "ExactCount", "count": 1}
    template = made(RESOURCECLAIMTEMPLATES)
    assert template["spec"]["spec"] == made(RESOURCECLAIMS)["spec"]


def test_fields_of_features_that_are_off_are_dropped() -> None:
    obj = made(RESOURCESLICES)
    device = {"name": "d", "taints": [{"key": "k", "effect": "NoSchedule"}], "allNodes": True}
    capacity = {"c": {"value": "1", "requestPolicy": {"default": "1"}}}
    obj["spec"] |= {"devices": [{**device, "capacity": capacity}], "sharedCounters": []}
    prepare_for_create(RESOURCESLICES, obj, now=NOW)
    assert obj["spec"]["devices"] == [{"name": "d", "capacity": {"c": {"value": "1"}}}]
    assert "sharedCounters" not in obj["spec"]
    claim = made(RESOURCECLAIMS)
    devices_of(claim)["requests"][0]["exactly"]["tolerations"] = [{"operator": "Exists"}]
    stored = copy.deepcopy(claim)
    prepare_for_update(RESOURCECLAIMS, claim, stored, now=NOW)
    assert "tolerations" in devices_of(claim)["requests"][0]["exactly"], "it was in use"


@pytest.mark.parametrize(
    ("field", "value", "errors"),
    [
        ("requests", [{"name": "r"}], [
            "spec.devices.requests[0]: Required value: exactly one of `exactly` or "
            "`firstAvailable` is required"]),
        ("requests", [{"name": "r", "exactly": {"deviceClassName": ""}}], [
            "spec.devices.requests[0].exactly.deviceClassName: Required value"]),
        ("requests", [{"name": "r", "exactly": {
            "deviceClassName": "c", "allocationMode": "All", "count": 2}}], [
            "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when "
            "allocationMode is 'All'"]),
        ("requests", [{"name": "r", "exactly": {"deviceClassName": "c", "selectors": [
            {"cel": {"expression": "x" * 10241}}]}}], [
            "spec.devices.requests[0].exactly.selectors[0].cel.expression: Too long: may not be "
            "more than 10240 bytes"]),
        ("requests", [{"name": "r", "exactly": {"deviceClassName": "c"}}] * 2, [
            'spec.devices.requests[1]: Duplicate value: "r"']),
        ("requests", [{"name": "r", "exactly": {"deviceClassName": "c"}}] * 33, [
            "spec.devices.requests: Too many: 33: must have at most 32 items"]),
        ("constraints", [{"requests": ["x"], "matchAttribute": "a"}], [
            f'spec.devices.constraints[0].requests[0]: Invalid value: "x": {NOT_A_REQUEST}',
            'spec.devices.constraints[0].matchAttribute: Invalid value: "a": a fully qualified '
            "name must be a domain and a name separated by a slash"]),
        ("config", [{}], ["spec.devices.config[0].opaque: Required value"]),
        ("config", [{"opaque": {"driver": "d", "parameters": 5}}], [
            'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a '
            "valid JSON object"]),
    ],
)  # fmt: skip
def test_claims_that_make_no_sense(field: str, value: Any, errors: list[str]) -> None:
    obj = made(RESOURCECLAIMS)
    devices_of(obj)[field] = value
    apply_defaults(RESOURCECLAIMS, obj)
    assert errors_of(RESOURCECLAIMS, obj) == errors


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('device.driver == "a.example"', ""),
        ('device.attributes["a.example"].ready', ""),
        ('cel.bind(a, device.attributes["a.example"], a.ready && a.size > 3)', ""),
        ('device.capacity["a.example"].memory.isGreaterThan(quantity("1Gi"))', ""),
        ('device.attributes["a.example"].v.compareTo(semver("1.0.0")) >= 0', ""),
        ("1 + 1", "must evaluate to bool or the unknown type, not int"),
        ("device.nope", "compilation failed: ERROR: <input>:1:7: undefined field 'nope'"),
        ("cel.bind(1, 2, true)",
         "compilation failed: ERROR: <input>:1:9: cel.bind() variable names must be simple "
         "identifiers"),
    ],
)  # fmt: skip
def test_expressions_that_choose_devices_must_compile(text: str, mistake: str) -> None:
    obj = made(RESOURCECLAIMS)
    devices_of(obj)["requests"][0]["exactly"]["selectors"] = [{"cel": {"expression": text}}]
    apply_defaults(RESOURCECLAIMS, obj)
    path = "spec.devices.requests[0].exactly.selectors[0].cel.expression"
    shown = [error.partition("\n")[0] for error in errors_of(RESOURCECLAIMS, obj)]
    assert shown == ([f'{path}: Invalid value: "{quoted(text)}": {mistake}'] if mistake else [])


def quoted(text: str) -> str:
    return text.replace('"', '\\"')


@pytest.mark.parametrize("resource", [RESOURCECLAIMS, RESOURCECLAIMTEMPLATES])
def test_what_is_asked_for_stays(resource: Resource) -> None:
    old = made(resource)
    old["metadata"]["resourceVersion"] = "1"
    new = copy.deepcopy(old)
    spec = new["spec"] if resource is RESOURCECLAIMS else new["spec"]["spec"]
    spec["devices"]["requests"][0]["name"] = "other"
    (error,) = validate_update(resource, new, old)
    assert (error.field, error.detail) == ("spec", "field is immutable")


def slice_with(**fields: Any) -> Object:
    obj = made(RESOURCESLICES)
    obj["spec"] |= fields
    return obj


PLACES = (
    "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"nodeName": None}, f"spec: Required value: {PLACES}"),
        ({"allNodes": True}, 'spec: Invalid value: "{`nodeName`, `allNodes`}": '
         f"{PLACES}, but multiple fields are set"),
        ({"pool": {"name": "p", "resourceSliceCount": 0}}, "spec.pool.resourceSliceCount: Invalid "
         "value: 0: must be greater than zero"),
        ({"devices": [{"name": "d", "attributes": {"a": {"version": "1"}}}]},
         'spec.devices[0].attributes[a].version: Invalid value: "1": must be a string compatible '
         "with semver.org spec 2.0.0"),
        ({"devices": [{"name": "d", "attributes": {"a": {}}}]},
         'spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified'),
        ({"devices": [{"name": f"d{i}"} for i in range(129)]},
         "spec.devices: Too many: 129: must have at most 128 items"),
    ],
)  # fmt: skip
def test_slices_that_make_no_sense(fields: Object, error: str) -> None:
    assert errors_of(RESOURCESLICES, slice_with(**fields)) == [error]


def test_a_slice_stays_where_it_is() -> None:
    old = slice_with()
    old["metadata"]["resourceVersion"] = "1"
    new = copy.deepcopy(old)
    new["spec"] |= {"driver": "b.example", "nodeName": "m"}
    new["spec"]["pool"]["name"] = "q"
    fields = [error.field for error in validate_update(RESOURCESLICES, new, old)]
    assert fields == ["spec.pool.name", "spec.driver", "spec.nodeName"]


RESULT = {"request": "r", "driver": "a.example", "pool": "p", "device": "d"}
CONSUMER = {"resource": "pods", "name": "p", "uid": "u"}


def status_errors(status: Object, stored: Object | None = None, **metadata: Any) -> list[str]:
    old = made(RESOURCECLAIMS)
    old["metadata"] |= {"resourceVersion": "1", **metadata}
    new = {**copy.deepcopy(old), "status": status}
    old["status"] = stored or {}
    found = validate_update(RESOURCECLAIMS, new, old, subresource="status")
    return [str(error) for error in found]


def test_the_status_of_a_claim() -> None:
    allocation = {"devices": {"results": [RESULT]}}
    assert status_errors({"allocation": allocation, "reservedFor": [CONSUMER]}) == []
    assert status_errors({"reservedFor": [CONSUMER]}) == [
        "status.reservedFor: Forbidden: may not be specified when `allocated` is not set"
    ]
    other = {"devices": {"results": [{**RESULT, "device": "e"}]}}
    (error,) = status_errors({"allocation": other}, {"allocation": allocation})
    assert error.startswith("status.allocation: Invalid value: ")
    assert error.endswith("field is immutable")
    going = {"deletionTimestamp": NOW, "deletionGracePeriodSeconds": 0, "finalizers": ["a.b/c"]}
    stored = {"allocation": allocation}
    (error,) = status_errors({**stored, "reservedFor": [CONSUMER]}, stored, **going)
    assert error == (
        "status.reservedFor: Forbidden: new entries may not be added while "
        "`deallocationRequested` or `deletionTimestamp` are set"
    )


def test_what_drivers_say_of_devices() -> None:
    allocation = {"devices": {"results": [RESULT]}}
    place = {"driver": "a.example", "pool": "p", "device": "d"}
    network = {"ips": ["10.0.0.1/24", "10.0.0.1", "fd00:0::1/64"], "interfaceName": "x" * 257}
    status = {"allocation": allocation, "devices": [{**place, "networkData": network}]}
    assert status_errors(status) == [
        "status.devices[0].networkData.interfaceName: Too long: may not be more than 256 bytes",
        'status.devices[0].networkData.ips[1]: Invalid value: "10.0.0.1": must be a valid address '
        "in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)",
        'status.devices[0].networkData.ips[2]: Invalid value: "fd00:0::1/64": must be in canonical '
        'form ("fd00::1/64")',
    ]
    (error,) = status_errors({"allocation": allocation, "devices": [{**place, "device": "e"}]})
    assert error.endswith("must be an allocated device in the claim")


def test_the_status_forgets_devices_that_are_given_back() -> None:
    old = made(RESOURCECLAIMS)
    place = {"driver": "a.example", "pool": "p", "device": "d"}
    old["status"] = {"allocation": {"devices": {"results": [RESULT]}}, "devices": [place]}
    new = {**copy.deepcopy(old), "status": {"devices": [place]}}
    prepare_for_update(RESOURCECLAIMS, new, old, now=NOW, subresource="status")
    assert new["status"] == {}


def test_tables() -> None:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    cells = view_for(RESOURCECLAIMS).cells
    claim = made(RESOURCECLAIMS)
    assert cells(claim, now)[:2] == ["a", "pending"]
    claim["status"] = {"allocation": {}, "reservedFor": [CONSUMER]}
    assert cells(claim, now)[1] == "allocated,reserved"
    claim["metadata"]["deletionTimestamp"] = NOW
    assert cells(claim, now)[1] == "deleted,allocated,reserved"
    assert view_for(RESOURCESLICES).cells(slice_with(), now)[:4] == ["a", "n", "a.example", "p"]
