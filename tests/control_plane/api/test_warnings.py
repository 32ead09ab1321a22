"""What kinds are warned of, on objects that are valid."""

import base64
import copy
import datetime
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.resources import (
    CRONJOBS,
    CSIDRIVERS,
    CSISTORAGECAPACITIES,
    DEPLOYMENTS,
    ENDPOINTS,
    ENDPOINTSLICES,
    INGRESSES,
    JOBS,
    NETWORKPOLICIES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    RESOURCEQUOTAS,
    RESOURCES,
    RUNTIMECLASSES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    STATEFULSETS,
    STORAGECLASSES,
    Resource,
)
from control_plane.api.warnings import WARNINGS, warnings_on_create, warnings_on_update
from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.minimal_objects import minimal_object

Object = dict[str, Any]
LABEL = "beta.kubernetes.io/arch"
ARCH = 'deprecated since v1.14; use "kubernetes.io/arch" instead'
TERM = {"matchExpressions": [{"key": LABEL, "operator": "In", "values": ["a b"]}]}
NULL = "a null labelSelector results in matching no pod"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NO_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def created(resource: Resource, **fields: Any) -> list[str]:
    """Return the warnings of the smallest object with fields of its own, at any depth."""
    obj = copy.deepcopy(minimal_object(resource, "a", "ns"))
    merge(obj, fields)
    return list(warnings_on_create(resource, obj))


def merge(obj: Object, fields: Object) -> None:
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(obj.get(key), dict):
            merge(obj[key], value)
        else:
            obj[key] = value


def of_pod(**spec: Any) -> list[str]:
    return created(PODS, spec=spec)


def container(**fields: Any) -> list[Object]:
    return [{"name": "c", "image": "i", **fields}]


def test_every_row_names_a_served_kind() -> None:
    assert {key[:2] for key in WARNINGS} <= {(row.group, row.kind) for row in RESOURCES}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda row: row.plural)
def test_the_smallest_object_is_not_warned_of(resource: Resource) -> None:
    assert created(resource) == []


PODS_WARNED_OF: list[tuple[Object, list[str]]] = [
    ({"nodeSelector": {LABEL: "x"}}, [f"spec.nodeSelector[{LABEL}]: {ARCH}"]),
    (
        {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [TERM]}}}},
        [f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key: "
         f"{LABEL} is {ARCH}"],
    ),
    (
        {"affinity": {"nodeAffinity": {PREFERRED: [{"weight": 1, "preference": TERM}]}}},
        [f"spec.affinity.nodeAffinity.{PREFERRED}[0].preference.matchExpressions[0].{rest}"
         for rest in (f"key: {LABEL} is {ARCH}", f"values[0]: a b is invalid, {NO_VALUE}")],
    ),
    (
        {"topologySpreadConstraints": [{"topologyKey": LABEL}]},
        [f"spec.topologySpreadConstraints[0].topologyKey: {LABEL} is {ARCH}",
         f"spec.topologySpreadConstraints[0].labelSelector: {NULL}"],
    ),
    (
        {"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": "k"}]}}},
        [f"spec.affinity.podAffinity.{REQUIRED}[0].labelSelector: {NULL}"],
    ),
    (
        {"volumes": [{"name": "v", "gitRepo": {}}, {"name": "w", "glusterfs": {}}]},
        ["spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
         "spec.volumes[1].glusterfs: deprecated in v1.25, non-functional in v1.26+"],
    ),
    (
        {"volumes": [{"name": "v", "configMap": {"name": "m", "items": [
            {"key": "a", "path": "d"}, {"key": "b", "path": "d/e"}]}}]},
        ['volume "v" (ConfigMap "m"): overlapping paths: "d/e" with "d"'],
    ),
    (
        {"volumes": [{"name": "v", "projected": {"sources": [
            {"secret": {"name": "s", "items": [{"key": "a", "path": "t"}]}},
            {"serviceAccountToken": {"path": "t"}}, {}]}}]},
        ['volume "v" (Projected): overlapping paths: "t" (ServiceAccountToken) with "t" '
         '(Secret "s")', 'volume "v" (Projected) has no sources provided'],
    ),
    (
        {"hostAliases": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]},
        ['spec.hostAliases[1].ip: duplicate ip "10.0.0.1"'],
    ),
    (
        {"imagePullSecrets": [{"name": "s"}, {"name": "s"}, {}]},
        ['spec.imagePullSecrets[1].name: duplicate name "s"',
         'spec.imagePullSecrets[2].name: invalid empty name ""'],
    ),
    (
        {"containers": container(resources={"limits": {"memory": "1500m"}})},
        ['spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, '
         "must be an integer"],
    ),
    (
        {"containers": container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"},
                                      {"name": "A", "value": "3"}])},
        ['spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when '
         "using apply"],
    ),
    (
        {"containers": container(ports=[
            {"containerPort": 80, "protocol": "TCP", "hostIP": "1.2.3.4", "name": "p"},
            {"containerPort": 80, "protocol": "TCP", "name": "p"}])},
        ["spec.containers[0].ports[0]: hostIP set without hostPort: {Name:p HostPort:0 "
         "ContainerPort:80 Protocol:TCP HostIP:1.2.3.4}",
         "spec.containers[0].ports[1]: overlapping port definition with "
         "spec.containers[0].ports[0]",
         'spec.containers[0].ports[1]: duplicate port name "p" with spec.containers[0].ports[0], '
         "services and probes that select ports by name will use spec.containers[0].ports[0]"],
    ),
    (
        {"containers": container(ports=[
            {"containerPort": 80, "hostPort": 8, "hostIP": "1.2.3.4"},
            {"containerPort": 80, "hostPort": 8}])},
        ["spec.containers[0].ports[1]: dangerously ambiguous port definition with "
         "spec.containers[0].ports[0]"],
    ),
    (
        {"terminationGracePeriodSeconds": -1},
        ["spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will "
         "be treated as 1"],
    ),
    (
        {"dnsConfig": {"nameservers": ["010.0.0.1", "::ffff:1.2.3.4", "fd00:0::1"]}},
        ['spec.dnsConfig.nameservers[0]: non-standard IP address "010.0.0.1" will be considered '
         'invalid in a future Kubernetes release: use "10.0.0.1"',
         'spec.dnsConfig.nameservers[1]: non-standard IP address "::ffff:1.2.3.4" will be '
         'considered invalid in a future Kubernetes release: use "1.2.3.4"',
         'spec.dnsConfig.nameservers[2]: IPv6 address "fd00:0::1" should be in RFC 5952 canonical '
         'format ("fd00::1")'],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "expected"), PODS_WARNED_OF)
def test_pods(spec: Object, expected: list[str]) -> None:
    assert of_pod(**spec) == expected


def test_names_and_annotations_of_pods() -> None:
    critical, apparmor = (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "container.apparmor.security.beta.kubernetes.io/main",
    )
    pod = minimal_object(PODS, "a.b", "ns")
    pod["spec"]["containers"][0]["name"] = "main"
    pod["metadata"]["annotations"] = {critical: "", apparmor: "x"}
    assert list(warnings_on_create(PODS, pod)) == [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising "
        "behavior; a DNS label is recommended: [must not contain dots]",
        f"metadata.annotations[{critical}]: non-functional in v1.16+; use the "
        '"priorityClassName" field instead',
        f'metadata.annotations[{apparmor}]: deprecated since v1.30; use the "appArmorProfile" '
        "field instead",
    ]
    assert list(warnings_on_update(PODS, pod, pod)) == []
    status = {"status": {"podIPs": [{"ip": "01.2.3.4"}]}}
    (warning,) = warnings_on_update(PODS, status, {}, subresource="status")
    assert warning.startswith('status.podIPs[0].ip: non-standard IP address "01.2.3.4"')


def test_templates_are_looked_at_when_they_change() -> None:
    expected = f"spec.template.spec.nodeSelector[{LABEL}]: {ARCH}"
    template = {"template": {"spec": {"nodeSelector": {LABEL: "x"}}}}
    assert created(DEPLOYMENTS, spec=template) == [expected]
    old = minimal_object(DEPLOYMENTS, "a.b", "ns")
    merge(old, {"spec": template, "metadata": {"generation": 1}})
    assert list(warnings_on_update(DEPLOYMENTS, old, old)) == []
    new = copy.deepcopy(old)
    new["metadata"]["generation"] = 2
    assert list(warnings_on_update(DEPLOYMENTS, new, old, subresource="scale")) == [expected]
    name, _ = warnings_on_create(DEPLOYMENTS, old)
    assert name.startswith("metadata.name: this is used in Pod names and hostnames, which can")
    cron = {"jobTemplate": {"spec": template}}
    (warning,) = created(CRONJOBS, spec=cron)
    assert warning == f"spec.jobTemplate.{expected}"


def test_jobs_and_stateful_sets() -> None:
    many = {"completionMode": "Indexed", "completions": 100001, "parallelism": 10001}
    (warning,) = created(JOBS, spec=many)
    assert warning.startswith("spec: In Indexed Jobs with a number of completions higher than 10^5")
    claim = {"spec": {"resources": {"requests": {"storage": "1500m"}}}}
    spec = {"volumeClaimTemplates": [claim], "revisionHistoryLimit": -1}
    assert created(STATEFULSETS, spec=spec) == [
        "spec.volumeClaimTemplates[0].Spec.resources.requests[storage]: fractional byte value "
        '"1500m" is invalid, must be an integer',
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= "
        "0 is recommended",
    ]
    zoned = {"spec": {"schedule": "CRON_TZ=UTC * * * * *"}}
    (warning,) = warnings_on_update(CRONJOBS, zoned, zoned)
    assert warning.startswith("cannot use TZ or CRON_TZ in spec.spec.schedule")


OTHERS: list[tuple[Resource, Object, list[str]]] = [
    (SERVICES, {"spec": {"clusterIP": "None", "sessionAffinity": "ClientIP"}},
     ["spec.SessionAffinity is ignored for headless services"]),
    (SERVICES, {"spec": {"externalName": "x", "trafficDistribution": "PreferClose"}},
     ['spec.externalName is ignored when spec.type is not "ExternalName"',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']),
    (SERVICES, {"spec": {"loadBalancerSourceRanges": ["10.0.0.1/8"]}},
     ['spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context '
      '(should be "10.0.0.0/8" or "10.0.0.1/32"?)']),
    (ENDPOINTS, {"subsets": [{"addresses": [{"ip": "01.2.3.4"}]}]},
     ['subsets[0].addresses[0].ip: non-standard IP address "01.2.3.4" will be considered invalid '
      'in a future Kubernetes release: use "1.2.3.4"']),
    (ENDPOINTSLICES, {"addressType": "FQDN"},
     ["spec.addressType: FQDN endpoints are deprecated"]),
    (INGRESSES, {"metadata": {"annotations": {"kubernetes.io/ingress.class": "x"}}},
     ['annotation "kubernetes.io/ingress.class" is deprecated, please use '
      "'spec.ingressClassName' instead"]),
    (NETWORKPOLICIES, {"spec": {"ingress": [{"from": [{"ipBlock": {"cidr": "010.0.0.0/8"}}]}]}},
     ['spec.ingress[0].from[0].ipBlock.cidr: non-standard CIDR value "010.0.0.0/8" will be '
      'considered invalid in a future Kubernetes release: use "10.0.0.0/8"']),
    (PERSISTENTVOLUMES, {"spec": {"persistentVolumeReclaimPolicy": "Recycle", "rbd": {}}},
     ["spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the "
      "recommended approach is to use dynamic provisioning.",
      "spec.rbd: deprecated in v1.28, non-functional in v1.31+"]),
    (PERSISTENTVOLUMECLAIMS, {"metadata": {"annotations": {
        "volume.beta.kubernetes.io/storage-class": "x"}}},
     ["metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "
      '"storageClassName" attribute instead']),
    (STORAGECLASSES, {"allowedTopologies": [{"matchLabelExpressions": [{"key": LABEL}]}]},
     [f"allowedTopologies[0].matchLabelExpressions[0].key: {ARCH}"]),
    (CSISTORAGECAPACITIES, {"nodeTopology": {"matchLabels": {LABEL: "x"}}},
     [f"nodeTopology.matchLabels[{LABEL}]: {ARCH}"]),
    (CSIDRIVERS, {"spec": {"tokenRequests": [{"audience": ""}]}},
     ["spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true "
      "to prevent possible logging of tokens in volume attributes"]),
    (RUNTIMECLASSES, {"scheduling": {"nodeSelector": {LABEL: "x"}}},
     [f"scheduling.nodeSelector: {ARCH}"]),
    (NODES, {"spec": {"externalID": "x"}},
     ["spec.externalID: this field is deprecated, and is unused by Kubernetes"]),
    (RESOURCEQUOTAS, {"spec": {"hard": {"requests.cpu": "2", "limits.cpu": "1500m"}}},
     ["ResourceQuota requests.cpu (2) should be less than limits.cpu (1500m)"]),
    (SERVICEACCOUNTS, {"metadata": {"annotations": {
        "kubernetes.io/enforce-mountable-secrets": "true"}}},
     ["metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; "
      "prefer separate namespaces to isolate access to mounted secrets"]),
    (SECRETS, {"type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": ""}},
     ["tls: failed to find any PEM data in certificate input"]),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "fields", "expected"), OTHERS)
def test_other_kinds(resource: Resource, fields: Object, expected: list[str]) -> None:
    assert created(resource, **fields) == expected


def test_certificates_and_keys_belong_together(tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    authority = Authority.open(KeyPair(tmp_path / "ca.crt", tmp_path / "ca.key"), now)
    pairs = [KeyPair(tmp_path / f"{n}.crt", tmp_path / f"{n}.key") for n in ("a", "b")]
    for pair in pairs:
        authority.ensure(pair, Identity("x"), now)
    crt, key, other = (
        base64.b64encode(path.read_bytes()).decode()
        for path in (pairs[0].certificate, pairs[0].key, pairs[1].key)
    )
    kind = {"type": "kubernetes.io/tls"}
    assert created(SECRETS, **kind, data={"tls.crt": crt, "tls.key": key}) == []
    assert created(SECRETS, **kind, data={"tls.crt": crt, "tls.key": other}) == [
        "tls: private key does not match public key"
    ]
