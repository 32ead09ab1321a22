"""Volumes of the in-tree drivers, in pods and as persistent volumes: each rule by one field."""

from typing import Any

import pytest

from control_plane.api.resources import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS
from control_plane.api.validation import validate_update
from tests.control_plane.api.valid_objects import (
    Obj,
    complete,
    create_errors,
    named,
    shown,
    update_errors,
)

CONTAINER = {"name": "c", "image": "i:1"}
IQN = "iqn.2015-02.example.com:test"
PORTAL = "127.0.0.1:3260"
ISCSI = {"targetPortal": PORTAL, "iqn": IQN, "lun": 1}
INITIATOR = "must be valid format starting with iqn, eui, or naa"
TOO_LONG = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
    "iscsi.initiatorName is specified."
)
HOST_PORTS = "must be a host:port pair or multiple pairs separated by commas"
MANAGED = (
    "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/"
    "{disk-id}"
)
DISK = {"diskName": "d", "diskURI": "https://a.blob.core.windows.net/c/d.vhd"}


def pod_with(name: str = "v", **source: Any) -> Obj:
    return named(PODS, spec={"containers": [CONTAINER], "volumes": [{"name": name, **source}]})


def volume(**spec: Any) -> Obj:
    base = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    return named(PERSISTENTVOLUMES, spec={**base, **spec})


VALID: list[Obj] = [
    {"gcePersistentDisk": {"pdName": "d", "partition": 1}},
    {"iscsi": ISCSI},
    {"iscsi": {**ISCSI, "iqn": "eui.0123456789abcdef", "initiatorName": "naa." + "a" * 32}},
    {"flocker": {"datasetName": "d"}},
    {"quobyte": {"registry": "a:1,[::1]:2", "volume": "v", "tenant": "t" * 64}},
    {"fc": {"targetWWNs": ["50060e801049cfd1"], "lun": 0}},
    {"fc": {"wwids": ["3600508b400105e210000900000490000"]}},
    {"flexVolume": {"driver": "a/b", "options": {"a.io/b": "c"}}},
    {"azureDisk": DISK},
    {"storageos": {"volumeName": "v", "volumeNamespace": "n"}},
    {"cinder": {"volumeID": "v", "secretRef": {"name": "s"}}},
]
BROKEN: list[tuple[Obj, str]] = [
    ({"gcePersistentDisk": {}}, "persistentDisk.pdName: Required value"),
    (
        {"gcePersistentDisk": {"pdName": "d", "partition": 256}},
        "persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive",
    ),
    (
        {"awsElasticBlockStore": {"volumeID": "d", "partition": -1}},
        "awsElasticBlockStore.partition: Invalid value: -1: must be between 1 and 255, inclusive",
    ),
    (
        {"nfs": {"server": "s", "path": "a"}},
        'nfs.path: Invalid value: "a": must be an absolute path',
    ),
    ({"iscsi": {**ISCSI, "iqn": "abc"}}, f'iscsi.iqn: Invalid value: "abc": {INITIATOR}'),
    (
        {"iscsi": {**ISCSI, "iqn": "iqn.2015-02.example.com"}},
        'iscsi.iqn: Invalid value: "iqn.2015-02.example.com": must be valid format',
    ),
    (
        {"iscsi": {**ISCSI, "initiatorName": "eui.1"}},
        'iscsi.initiatorname: Invalid value: "eui.1": must be valid format',
    ),
    (
        {"iscsi": {**ISCSI, "lun": 256}},
        "iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
    ),
    ({"iscsi": {**ISCSI, "chapAuthSession": True}}, "iscsi.secretRef: Required value"),
    ({"flocker": {}}, "flocker: Required value: one of datasetName and datasetUUID is required"),
    (
        {"flocker": {"datasetName": "a", "datasetUUID": "b"}},
        'flocker: Invalid value: "resource": datasetName and datasetUUID can not be specified '
        "simultaneously",
    ),
    (
        {"flocker": {"datasetName": "a/b"}},
        "flocker.datasetName: Invalid value: \"a/b\": must not contain '/'",
    ),
    ({"quobyte": {"volume": "v"}}, f"quobyte.registry: Required value: {HOST_PORTS}"),
    (
        {"quobyte": {"volume": "v", "registry": "a"}},
        f'quobyte.registry: Invalid value: "a": {HOST_PORTS}',
    ),
    (
        {"quobyte": {"volume": "v", "registry": "a:1", "tenant": "t" * 65}},
        "quobyte.tenant: Required value: must be a UUID and may not exceed a length of 64 "
        "characters",
    ),
    ({"quobyte": {"registry": "a:1"}}, "quobyte.volume: Required value"),
    (
        {"fc": {}},
        "fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both",
    ),
    (
        {"fc": {"targetWWNs": ["a"], "wwids": ["b"], "lun": 1}},
        'fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified '
        "simultaneously",
    ),
    (
        {"fc": {"targetWWNs": ["a"]}},
        "fc.lun: Required value: lun is required if targetWWNs is specified",
    ),
    (
        {"flexVolume": {"driver": "d", "options": {"kubernetes.io/x": "y"}}},
        'flexVolume.options[kubernetes.io/x]: Invalid value: "kubernetes.io/x": kubernetes.io and '
        "k8s.io namespaces are reserved",
    ),
    (
        {"azureDisk": {**DISK, "cachingMode": "Some"}},
        'azureDisk.cachingMode: Unsupported value: "Some": supported values: "None", "ReadOnly", '
        '"ReadWrite"',
    ),
    (
        {"azureDisk": {**DISK, "kind": "Managed"}},
        f'azureDisk.diskURI: Unsupported value: "{DISK["diskURI"]}": supported values: "{MANAGED}"',
    ),
    ({"storageos": {}}, "storageos.volumeName: Required value"),
    (
        {"cinder": {"volumeID": "v", "secretRef": {}}},
        "cinder.secretRef.name: Required value",
    ),
]


@pytest.mark.parametrize("source", VALID, ids=lambda source: next(iter(source)))
def test_right_sources_are_taken(source: Obj) -> None:
    assert create_errors(PODS, pod_with(**source)) == []
    assert create_errors(PERSISTENTVOLUMES, volume(**source)) == []


@pytest.mark.parametrize(("source", "message"), BROKEN, ids=[case[1][:40] for case in BROKEN])
def test_a_broken_source_is_named_in_pods_and_volumes(source: Obj, message: str) -> None:
    assert f"spec.volumes[0].{message}" in create_errors(PODS, pod_with(**source))
    assert f"spec.{message}" in create_errors(PERSISTENTVOLUMES, volume(**source))


def test_what_pods_alone_have() -> None:
    source = {"repository": "r", "directory": "/a/.."}
    errors = create_errors(PODS, pod_with(gitRepo=source))
    path = "spec.volumes[0].gitRepo.directory"
    assert f'{path}: Invalid value: "/a/..": must be a relative path' in errors
    assert f"{path}: Invalid value: \"/a/..\": must not contain '..'" in errors
    csi = {"driver": "d", "nodePublishSecretRef": {"name": "A"}}
    (error,) = create_errors(PODS, pod_with(csi=csi))
    assert error.startswith('spec.volumes[0].csi.name: Invalid value: "A": a lowercase RFC 1123')
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    long = pod_with("v" * 63, ephemeral={"volumeClaimTemplate": {"spec": claim}})
    long["metadata"]["name"] = "p" * 200
    assert create_errors(PODS, long) == [
        f'spec.volumes[0].name: Invalid value: "{"v" * 63}": PVC name "{"p" * 200}-{"v" * 63}": '
        "must be no more than 253 characters"
    ]


def test_a_name_and_a_portal_are_short_together() -> None:
    source = {**ISCSI, "initiatorName": IQN}
    name = "v" * 60
    (error,) = create_errors(PODS, pod_with(name, iscsi=source))
    assert error == f'spec.volumes[0].name: Invalid value: "{name}": {TOO_LONG}'
    long = volume(iscsi=source)
    long["metadata"]["name"] = name
    (error,) = create_errors(PERSISTENTVOLUMES, long)
    assert error == f'metadata.name: Invalid value: "{name}": {TOO_LONG}'


def test_secrets_of_a_persistent_csi_volume_have_a_name_and_a_namespace() -> None:
    csi = {"driver": "d", "volumeHandle": "h", "controllerPublishSecretRef": {"name": "s"}}
    (error,) = create_errors(PERSISTENTVOLUMES, volume(csi=csi))
    assert error == "spec.csi.controllerPublishSecretRef.namespace: Required value"


def test_mount_options_are_for_sources_that_have_them() -> None:
    key = "volume.beta.kubernetes.io/mount-options"
    for source, problems in (({"hostPath": {"path": "/a"}}, 1), ({"rbd": {
        "monitors": ["m"], "image": "i"}}, 0)):  # fmt: skip
        obj = volume(**source)
        obj["metadata"]["annotations"] = {key: "ro"}
        text = "Forbidden: may not specify mount options for this volume type"
        assert create_errors(PERSISTENTVOLUMES, obj) == [f"metadata.annotations.{key}: {text}"] * (
            problems
        )


def test_attributes_classes_are_for_csi_and_stay() -> None:
    csi = {"driver": "d", "volumeHandle": "h"}
    gold, none = volume(csi=csi, volumeAttributesClassName="gold"), volume(csi=csi)
    assert create_errors(PERSISTENTVOLUMES, gold) == []
    elsewhere = volume(nfs={"server": "s", "path": "/a"}, volumeAttributesClassName="")
    assert create_errors(PERSISTENTVOLUMES, elsewhere) == [
        "spec.volumeAttributesClassName: Required value: an empty string is disallowed",
        "spec.csi: Required value: has to be specified when using volumeAttributesClassName",
    ]
    assert update_errors(PERSISTENTVOLUMES, none, gold) == [
        "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden"
    ]


@pytest.mark.parametrize(("name", "what"), [(None, "nil"), ("", "empty string")])
def test_a_claim_keeps_the_attributes_class_that_its_volume_has(
    name: str | None, what: str
) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    status = {"phase": "Bound", "currentVolumeAttributesClassName": "gold"}
    old, new = (
        complete(
            PERSISTENTVOLUMECLAIMS,
            named(PERSISTENTVOLUMECLAIMS, spec={**spec, "volumeAttributesClassName": value}),
        )
        for value in ("gold", name)
    )
    for obj in (old, new):
        obj["status"], obj["metadata"]["resourceVersion"] = status, "1"
    assert shown(validate_update(PERSISTENTVOLUMECLAIMS, new, old)) == [
        f"spec.volumeAttributesClassName: Forbidden: update to {what} is forbidden when "
        "status.currentVolumeAttributesClassName is not nil"
    ]
