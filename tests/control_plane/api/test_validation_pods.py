"""Pods: each rule by one broken field, with upstream's path and text."""

from typing import Any

import pytest

from control_plane.api.resources import PODS
from tests.control_plane.api.valid_objects import Obj, create_errors, named

CONTAINER = {"name": "c", "image": "i:1"}
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
C = "spec.containers[0]"


def pod(**spec: Any) -> Obj:
    return named(PODS, spec={"containers": [CONTAINER], **spec})


def with_container(**fields: Any) -> Obj:
    return pod(containers=[{**CONTAINER, **fields}])


def with_volume(**source: Any) -> Obj:
    return pod(volumes=[{"name": "v", **source}])


def test_a_plain_pod_is_valid() -> None:
    assert create_errors(PODS, pod()) == []


def probe(**fields: Any) -> Obj:
    return with_container(livenessProbe={"exec": {"command": ["x"]}, **fields})


def tolerate(**toleration: Any) -> Obj:
    return pod(tolerations=[toleration])


CONTAINERS: list[tuple[Obj, str]] = [
    (pod(containers=[]), "spec.containers: Required value"),
    (with_container(name=""), f"{C}.name: Required value"),
    (with_container(name="A"), f'{C}.name: Invalid value: "A": {LABEL_RULE}'),
    (with_container(name="a.b"), f'{C}.name: Invalid value: "a.b": must not contain dots'),
    (
        pod(containers=[CONTAINER, CONTAINER]),
        'spec.containers[1].name: Duplicate value: "c"',
    ),
    (
        pod(initContainers=[CONTAINER]),
        'spec.initContainers[0].name: Duplicate value: "c"',
    ),
    (with_container(image=""), f"{C}.image: Required value"),
    (
        with_container(image=" i"),
        f'{C}.image: Invalid value: " i": must not have leading or trailing whitespace',
    ),
    (
        with_container(imagePullPolicy="Maybe"),
        f'{C}.imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", '
        '"IfNotPresent", "Never"',
    ),
    (
        with_container(terminationMessagePolicy="X"),
        f'{C}.terminationMessagePolicy: Unsupported value: "X": supported values: '
        '"FallbackToLogsOnError", "File"',
    ),
    (
        with_container(ports=[{"containerPort": 70000}]),
        f"{C}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
    (with_container(ports=[{}]), f"{C}.ports[0].containerPort: Required value"),
    (
        with_container(ports=[{"containerPort": 1, "protocol": "X"}]),
        f'{C}.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
    ),
    (
        with_container(ports=[{"containerPort": 1, "name": "--"}]),
        f'{C}.ports[0].name: Invalid value: "--": must contain at least one letter (a-z)',
    ),
    (
        with_container(ports=[{"containerPort": p, "name": "a"} for p in (1, 2)]),
        f'{C}.ports[1].name: Duplicate value: "a"',
    ),
    (
        with_container(ports=[{"containerPort": p, "hostPort": 80} for p in (1, 2)]),
        f'{C}.ports[1].hostPort: Duplicate value: "TCP//80"',
    ),
    (
        pod(
            hostNetwork=True,
            containers=[{**CONTAINER, "ports": [{"containerPort": 1, "hostPort": 2}]}],
        ),
        f"{C}.ports[0].hostPort: Invalid value: 2: must match `containerPort` when `hostNetwork` "
        "is true",
    ),
    (with_container(env=[{"value": "x"}]), f"{C}.env[0].name: Required value"),
    (
        with_container(env=[{"name": "a=b"}]),
        f'{C}.env[0].name: Invalid value: "a=b": a valid environment variable name must consist '
        "only of printable ASCII characters other than '='",
    ),
    (
        with_container(env=[{"name": "a", "valueFrom": {}}]),
        f'{C}.env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, '
        "`resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
    ),
    (
        with_container(
            env=[
                {
                    "name": "a",
                    "value": "x",
                    "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}},
                }
            ]
        ),
        f'{C}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ),
    (
        with_container(env=[{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "spec.bogus"}}}]),
        f'{C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.bogus": error converting '
        "fieldPath: field label not supported: spec.bogus",
    ),
    (
        with_container(envFrom=[{}]),
        f'{C}.envFrom[0]: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    ),
    (
        with_container(volumeMounts=[{"name": "v", "mountPath": "/x"}]),
        f'{C}.volumeMounts[0].name: Not found: "v"',
    ),
    (
        with_container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
        f'{C}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ),
    (
        with_container(resources={"limits": {"cpu": "-1"}}),
        f'{C}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ),
    (
        with_container(resources={"requests": {"example.com/gpu": "1"}}),
        f"{C}.resources.limits: Required value: Limit must be set for non overcommitable resources",
    ),
    (
        with_container(resources={"limits": {"pods": "1"}}),
        f'{C}.resources.limits: Invalid value: "pods": must be a standard resource for containers',
    ),
    (
        with_container(resources={"limits": {"hugepages-2Mi": "2Mi"}}),
        f"{C}.resources: Forbidden: HugePages require cpu or memory",
    ),
    (
        with_container(securityContext={"privileged": True, "allowPrivilegeEscalation": False}),
        f'{C}.securityContext: Invalid value: {{"Capabilities":null,"Privileged":true,'
        '"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,'
        '"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,'
        '"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set '
        "`allowPrivilegeEscalation` to false and `privileged` to true",
    ),
    (probe(exec=None), f"{C}.livenessProbe: Required value: must specify a handler type"),
    (
        probe(tcpSocket={"port": 1}),
        f"{C}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
    ),
    (probe(exec={}), f"{C}.livenessProbe.exec.command: Required value"),
    (
        probe(exec=None, httpGet={"port": 0}),
        f"{C}.livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
    ),
    (
        probe(successThreshold=2),
        f"{C}.livenessProbe.successThreshold: Invalid value: 2: must be 1",
    ),
    (
        probe(periodSeconds=-1),
        f"{C}.livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
    ),
    (
        with_container(lifecycle={"preStop": {"sleep": {"seconds": 31}}}),
        f"{C}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
        "terminationGracePeriodSeconds (30)",
    ),
    (
        pod(initContainers=[{"name": "i", "image": "i", "lifecycle": {}}]),
        "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without "
        "restartPolicy=Always",
    ),
    (
        with_container(securityContext={"runAsUser": -1}),
        f"{C}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, "
        "inclusive",
    ),
]
SPEC: list[tuple[Obj, str]] = [
    (
        pod(restartPolicy="Sometimes"),
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", '
        '"OnFailure", "Never"',
    ),
    (
        pod(dnsPolicy="X"),
        'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirst", '
        '"ClusterFirstWithHostNet", "Default", "None"',
    ),
    (
        pod(dnsPolicy="None"),
        "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
    ),
    (
        pod(activeDeadlineSeconds=0),
        "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
    ),
    (pod(hostname="a.b"), 'spec.hostname: Invalid value: "a.b": must not contain dots'),
    (
        pod(ephemeralContainers=[{"name": "e", "image": "e"}]),
        "spec.ephemeralContainers: Forbidden: cannot be set on create",
    ),
    (
        pod(nodeName="n", schedulingGates=[{"name": "g"}]),
        "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
    ),
    (
        pod(hostAliases=[{"ip": "1.2.3"}]),
        'spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, '
        "(e.g. 10.9.8.7 or 2001:db8::ffff)",
    ),
    (
        tolerate(operator="Equal"),
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` '
        'is empty, which means "match all values and all keys"',
    ),
    (
        tolerate(key="k", operator="Exists", value="v"),
        'spec.tolerations[0].operator: Invalid value: {"Key":"k","Operator":"Exists","Value":"v",'
        '"Effect":"","TolerationSeconds":null}: value must be empty when `operator` is '
        "'Exists'",
    ),
    (
        tolerate(key="k", operator="Exists", tolerationSeconds=1),
        "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when "
        "`tolerationSeconds` is set",
    ),
    (
        tolerate(key="k", operator="Near"),
        'spec.tolerations[0].operator: Unsupported value: "Near": supported values: "Equal", '
        '"Exists"',
    ),
    (
        pod(
            affinity={
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}
                }
            }
        ),
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
        "nodeSelectorTerms: Required value: must have at least one node selector term",
    ),
    (
        pod(
            affinity={
                "podAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 0, "podAffinityTerm": {"topologyKey": "k"}}
                    ]
                }
            }
        ),
        "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
        "Invalid value: 0: must be in the range 1-100",
    ),
    (
        pod(
            topologySpreadConstraints=[
                {"maxSkew": 0, "topologyKey": "k", "whenUnsatisfiable": "DoNotSchedule"}
            ]
        ),
        "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
    ),
    (
        pod(securityContext={"seccompProfile": {"type": "Localhost"}}),
        "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when "
        "seccomp type is Localhost",
    ),
    (
        pod(
            resources={"requests": {"cpu": "1"}},
            containers=[{**CONTAINER, "resources": {"requests": {"cpu": "1500m"}}}],
        ),
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to '
        "aggregate container requests of 1500m",
    ),
    (
        pod(
            resources={"limits": {"cpu": "1"}},
            containers=[{**CONTAINER, "resources": {"limits": {"cpu": "2"}}}],
        ),
        'spec.containers[0].resources.limits[cpu]: Invalid value: "2": must be less than or equal '
        "to pod limits of 1",
    ),
    (
        pod(hostUsers=False, hostNetwork=True),
        "spec.hostNetwork: Forbidden: when `hostUsers` is false",
    ),
]
V = "spec.volumes[0]"
VOLUMES: list[tuple[Obj, str]] = [
    (
        with_volume(emptyDir={}, hostPath={"path": "/x"}),
        f"{V}.hostPath: Forbidden: may not specify more than 1 volume type",
    ),
    (with_volume(secret={}), f"{V}.secret.secretName: Required value"),
    (with_volume(configMap={}), f"{V}.configMap.name: Required value"),
    (
        with_volume(secret={"secretName": "s", "defaultMode": 512}),
        f"{V}.secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), "
        "both inclusive",
    ),
    (
        with_volume(configMap={"name": "c", "items": [{"key": "k", "path": "/abs"}]}),
        f'{V}.configMap.items[0].path: Invalid value: "/abs": must be a relative path',
    ),
    (
        with_volume(configMap={"name": "c", "items": [{"key": "k", "path": "a/../b"}]}),
        f"{V}.configMap.items[0].path: Invalid value: \"a/../b\": must not contain '..'",
    ),
    (
        with_volume(hostPath={"path": "/x", "type": "Nope"}),
        f'{V}.hostPath.type: Unsupported value: "Nope": supported values: "", "BlockDevice", '
        '"CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
    ),
    (
        with_volume(
            projected={"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 5}}]}
        ),
        f"{V}.projected.sources[0].serviceAccountToken: Forbidden: must not be specified when "
        "serviceAccountName is not set",
    ),
    (
        pod(volumes=[{"name": "v", "emptyDir": {}}] * 2),
        'spec.volumes[1].name: Duplicate value: "v"',
    ),
]


@pytest.mark.parametrize(("obj", "message"), [*CONTAINERS, *SPEC, *VOLUMES])
def test_a_broken_field_is_named(obj: Obj, message: str) -> None:
    assert message in create_errors(PODS, obj)
