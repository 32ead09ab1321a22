"""Storage classes, CSI drivers, nodes and capacities, volume attachments and attribute classes."""

from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import strategy_for
from control_plane.api.resources import (
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
    Resource,
)
from tests.control_plane.api.valid_objects import (
    Obj,
    broken,
    cells,
    create_errors,
    named,
    update_errors,
)


def storage_class(**fields: Any) -> Obj:
    return named(STORAGECLASSES, **{"provisioner": "a.example/p", **fields})


def driver(**spec: Any) -> Obj:
    return named(CSIDRIVERS, spec=spec)


def node(**entry: Any) -> Obj:
    return named(CSINODES, spec={"drivers": [{"name": "d", "nodeID": "n", **entry}]})


def capacity(**fields: Any) -> Obj:
    return named(CSISTORAGECAPACITIES, **{"storageClassName": "fast", **fields})


def attachment(**spec: Any) -> Obj:
    source = {"persistentVolumeName": "pv"}
    fields = {"attacher": "d", "nodeName": "n", "source": source, **spec}
    return named(VOLUMEATTACHMENTS, spec=fields)


def attributes(**fields: Any) -> Obj:
    return named(VOLUMEATTRIBUTESCLASSES, **{"driverName": "d", "parameters": {"a": "b"}, **fields})


def test_defaults() -> None:
    obj = storage_class()
    apply_defaults(STORAGECLASSES, obj)
    assert (obj["reclaimPolicy"], obj["volumeBindingMode"]) == ("Delete", "Immediate")
    csi = driver()
    apply_defaults(CSIDRIVERS, csi)
    assert csi["spec"] == {
        "attachRequired": True, "podInfoOnMount": False, "storageCapacity": False,
        "requiresRepublish": False, "seLinuxMount": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType", "volumeLifecycleModes": ["Persistent"],
    }  # fmt: skip


@pytest.mark.parametrize("resource", [CSIDRIVERS, CSINODES, CSISTORAGECAPACITIES])
def test_some_updates_need_a_version(resource: Resource) -> None:
    assert not strategy_for(resource).unconditional_update
    assert strategy_for(STORAGECLASSES).unconditional_update


PLAIN = [
    (STORAGECLASSES, storage_class()),
    (CSIDRIVERS, driver()),
    (CSINODES, node()),
    (CSISTORAGECAPACITIES, capacity(capacity="1Gi")),
    (VOLUMEATTACHMENTS, attachment()),
    (VOLUMEATTRIBUTESCLASSES, attributes()),
]


@pytest.mark.parametrize(("resource", "obj"), PLAIN, ids=str)
def test_a_plain_object_is_valid(resource: Resource, obj: Obj) -> None:
    assert create_errors(resource, obj) == []
    assert update_errors(resource, obj, obj) == []


TERM = "allowedTopologies[0].matchLabelExpressions[0]"
BROKEN = [
    *broken(
        STORAGECLASSES,
        (storage_class(provisioner=""), "provisioner: Required value"),
        (
            storage_class(provisioner="A b"),
            'provisioner: Invalid value: "a b": name part must consist of alphanumeric characters, '
            "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
            "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ),
        (
            storage_class(reclaimPolicy="Recycle"),
            'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        ),
        (
            storage_class(volumeBindingMode="Late"),
            'volumeBindingMode: Unsupported value: "Late": supported values: "Immediate", '
            '"WaitForFirstConsumer"',
        ),
        (
            storage_class(parameters={"": "x"}),
            'parameters: Invalid value: "": field can not be empty.',
        ),
        (
            storage_class(allowedTopologies=[{"matchLabelExpressions": [{"key": "a"}]}]),
            f"{TERM}.values: Required value",
        ),
        (
            storage_class(
                allowedTopologies=[{"matchLabelExpressions": [{"key": "a", "values": ["b", "b"]}]}]
            ),
            f'{TERM}.values[1]: Duplicate value: "b"',
        ),
    ),
    *broken(
        CSIDRIVERS,
        (
            driver(fsGroupPolicy="Some"),
            'spec.fsGroupPolicy: Unsupported value: "Some": supported values: "File", "None", '
            '"ReadWriteOnceWithFSType"',
        ),
        (
            driver(volumeLifecycleModes=["Long"]),
            'spec.volumeLifecycleModes: Unsupported value: "Long": supported values: "Ephemeral", '
            '"Persistent"',
        ),
        (
            driver(tokenRequests=[{"audience": "a", "expirationSeconds": 5}]),
            "spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration "
            "less than 10 minutes",
        ),
        (
            driver(tokenRequests=[{"audience": "a"}, {"audience": "a"}]),
            'spec.tokenRequests[1].audience: Duplicate value: "a"',
        ),
        (
            driver(nodeAllocatableUpdatePeriodSeconds=1),
            "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 1: must be greater than or "
            "equal to 10 seconds",
        ),
        (
            {**driver(), "metadata": {"name": "a" * 64}},
            "metadata.name: Too long: may not be more than 63 bytes",
        ),
    ),
    *broken(
        CSINODES,
        (node(nodeID=""), "spec.drivers[0].nodeID: Required value"),
        (
            node(nodeID="n" * 257),
            f'spec.drivers[0].nodeID: Invalid value: "{"n" * 257}": must be 256 characters or less',
        ),
        (
            named(CSINODES, spec={"drivers": [{"name": "d", "nodeID": "n"}] * 2}),
            'spec.drivers[1].name: Duplicate value: "d"',
        ),
        (
            node(allocatable={"count": -1}),
            "spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal "
            "to 0",
        ),
    ),
    *broken(
        CSISTORAGECAPACITIES,
        (
            capacity(capacity="-1"),
            'capacity: Invalid value: "-1": must be greater than or equal to 0',
        ),
    ),
    *broken(
        VOLUMEATTACHMENTS,
        (
            attachment(source={}),
            "spec.source: Required value: must specify exactly one of inlineVolumeSpec and "
            "persistentVolumeName",
        ),
        (
            attachment(source={"persistentVolumeName": ""}),
            "spec.source.persistentVolumeName: Required value: must specify non empty "
            "persistentVolumeName",
        ),
        (attachment(attacher=""), "spec.attacher: Required value"),
        (attachment(nodeName=""), "spec.nodeName: Required value"),
    ),
    *broken(
        VOLUMEATTRIBUTESCLASSES,
        (
            attributes(parameters={}),
            "parameters: Required value: must contain at least one key/value pair",
        ),
    ),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


UPDATES: list[tuple[Resource, Obj, Obj, list[str]]] = [
    (STORAGECLASSES, storage_class(allowVolumeExpansion=True), storage_class(), []),
    (
        STORAGECLASSES,
        storage_class(provisioner="b.example/p", volumeBindingMode="WaitForFirstConsumer"),
        storage_class(),
        [
            "provisioner: Forbidden: updates to provisioner are forbidden.",
            'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
        ],
    ),
    (
        CSIDRIVERS,
        driver(attachRequired=False),
        driver(),
        ["spec.attachedRequired: Invalid value: false: field is immutable"],
    ),
    (CSINODES, node(allocatable={"count": 5}), node(), []),
    (
        CSINODES,
        node(nodeID="m"),
        node(),
        ['spec.drivers: Invalid value: {"name":"d","nodeID":"m"}: field is immutable'],
    ),
    (
        CSISTORAGECAPACITIES,
        capacity(storageClassName="slow"),
        capacity(),
        ['storageClassName: Invalid value: "slow": field is immutable'],
    ),
    (
        VOLUMEATTRIBUTESCLASSES,
        attributes(driverName="e"),
        attributes(),
        ["driverName: Forbidden: updates to driverName are forbidden."],
    ),
]


@pytest.mark.parametrize(("resource", "new", "old", "expected"), UPDATES)
def test_updates(resource: Resource, new: Obj, old: Obj, expected: list[str]) -> None:
    assert update_errors(resource, new, old) == expected


def test_tables() -> None:
    marked = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    assert cells(STORAGECLASSES, {**storage_class(), "metadata": marked}) == [
        ("Name", "x (default)"), ("Provisioner", "a.example/p"), ("ReclaimPolicy", "Delete"),
        ("VolumeBindingMode", "Immediate"), ("AllowVolumeExpansion", False), ("Age", "2d"),
    ]  # fmt: skip
    assert cells(CSIDRIVERS, driver()) == [
        ("Name", "x"), ("AttachRequired", True), ("PodInfoOnMount", False),
        ("StorageCapacity", False), ("TokenRequests", "<unset>"), ("RequiresRepublish", False),
        ("Modes", "<none>"), ("Age", "2d"),
    ]  # fmt: skip
    assert cells(CSINODES, node())[1] == ("Drivers", 1)
    assert cells(CSISTORAGECAPACITIES, capacity())[1:] == [
        ("StorageClassName", "fast"), ("Capacity", "<unset>"),
    ]  # fmt: skip
    assert cells(VOLUMEATTACHMENTS, attachment()) == [
        ("Name", "x"), ("Attacher", "d"), ("PV", "pv"), ("Node", "n"), ("Attached", False),
        ("Age", "2d"),
    ]  # fmt: skip
    assert cells(VOLUMEATTRIBUTESCLASSES, attributes())[1] == ("DriverName", "d")


def test_what_repeated_topologies_are_told_in_order() -> None:
    expressions = [{"key": "a", "values": ["x"]}, {"key": "a"}]
    terms: list[Obj] = [{}, {"matchLabelExpressions": expressions}]
    assert create_errors(STORAGECLASSES, storage_class(allowedTopologies=terms)) == [
        'allowedTopologies[0].matchLabelExpressions: Duplicate value: ""',
        'allowedTopologies[0].matchLabelExpressions: Duplicate value: ""',
        "allowedTopologies[1].matchLabelExpressions[1].values: Required value",
        'allowedTopologies[1].matchLabelExpressions[1].key: Duplicate value: "a"',
    ]
