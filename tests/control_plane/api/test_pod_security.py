"""Pod Security Standards: each control, in the versions where it changed, in upstream's words."""

from typing import Any

import pytest

from control_plane.api.pod_security.evaluation import NEWEST, detail_of, violations
from control_plane.api.pod_security.policy import (
    BASELINE,
    LATEST,
    PRIVILEGED,
    RESTRICTED,
    Standard,
    policy_of,
)
from control_plane.api.pod_security.subjects import (
    is_significant,
    pod_of,
    template_of,
    unlike_first,
)
from control_plane.api.pod_security.violation import Pod
from control_plane.api.pod_security.warning import pod_warnings

Object = dict[str, Any]
PREFIX = "pod-security.kubernetes.io/"
WINDOWS = {"os": {"name": "windows"}}


def pod(security: Object | None = None, *, annotations: Object | None = None, **spec: Any) -> Pod:
    """A pod of the container "a", whose securityContext is given."""
    own = {"containers": [{"name": "a", "securityContext": security or {}}], **spec}
    return Pod(annotations or {}, own)


def good(security: Object | None = None, **spec: Any) -> Pod:
    """A pod that the restricted level has nothing against, but for what is given."""
    harmless = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    given = {key: value for key, value in {**harmless, **(security or {})}.items() if value != {}}
    return pod(given, **spec)


def seen(level: str, minor: int, subject: Pod) -> str:
    return detail_of(violations(Standard(level, minor), subject))


def http(host: str) -> Object:
    return {"httpGet": {"host": host, "port": 80}}


TWO = [
    {"name": "a", "ports": [{"hostPort": 80}], "securityContext": {"privileged": True}},
    {"name": "b", "ports": [{"hostPort": 8080}], "securityContext": {"privileged": True}},
]
# the versions (from, to) in which a pod is refused, and the words; fine in all others
BASELINE_CASES = [
    ("hostProcess of the pod", 0, NEWEST,
     pod(securityContext={"windowsOptions": {"hostProcess": True}}),
     "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"),
    ("hostProcess of both", 0, NEWEST,
     pod({"windowsOptions": {"hostProcess": True}},
         securityContext={"windowsOptions": {"hostProcess": True}}),
     'hostProcess (pod and container "a" must not set '
     "securityContext.windowsOptions.hostProcess=true)"),
    ("host namespaces", 0, NEWEST, pod(hostNetwork=True, hostIPC=True, hostPID=False),
     "host namespaces (hostNetwork=true, hostIPC=true)"),
    ("privileged", 0, NEWEST, pod({"privileged": True}),
     'privileged (container "a" must not set securityContext.privileged=true)'),
    ("two containers", 0, NEWEST, Pod({}, {"containers": TWO}),
     'hostPort (containers "a", "b" use hostPorts 80, 8080), '
     'privileged (containers "a", "b" must not set securityContext.privileged=true)'),
    ("init and ephemeral containers", 0, NEWEST,
     Pod({}, {"initContainers": TWO[:1], "ephemeralContainers": TWO[1:]}),
     'hostPort (containers "a", "b" use hostPorts 80, 8080), '
     'privileged (containers "a", "b" must not set securityContext.privileged=true)'),
    ("capabilities", 0, NEWEST, pod({"capabilities": {"add": ["SYS_TIME", "CHOWN", "BPF"]}}),
     'non-default capabilities (container "a" must not include "BPF", "SYS_TIME" in '
     "securityContext.capabilities.add)"),
    ("hostPath", 0, NEWEST, pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
     'hostPath volumes (volume "v")'),
    ("hostPaths", 0, NEWEST,
     pod(volumes=[{"name": n, "hostPath": {"path": "/"}} for n in "vw"]),
     'hostPath volumes (volumes "v", "w")'),
    ("hostPort", 0, NEWEST, Pod({}, {"containers": [{"name": "c", "ports": [{"hostPort": 80}]}]}),
     'hostPort (container "c" uses hostPort 80)'),
    ("probe host", 34, NEWEST,
     Pod({}, {"containers": [{"name": "c", "livenessProbe": http("1.2.3.4")}]}),
     'probe or lifecycle host (container "c" uses probe or lifecycle host "1.2.3.4")'),
    ("hook hosts", 34, NEWEST,
     Pod({}, {"containers": [
         {"name": "c", "lifecycle": {"preStop": http("b")}},
         {"name": "d", "startupProbe": {"tcpSocket": {"host": "a"}}, "readinessProbe": http("")},
     ]}),
     'probe or lifecycle host (containers "c", "d" use probe or lifecycle hosts "a", "b")'),
    ("AppArmor field", 0, NEWEST, pod({"appArmorProfile": {"type": "Unconfined"}}),
     'forbidden AppArmor profile (container "a" must not set AppArmor profile type to '
     '"Unconfined")'),
    ("AppArmor annotations", 0, NEWEST,
     pod(annotations={
         "container.apparmor.security.beta.kubernetes.io/a": "unconfined",
         "container.apparmor.security.beta.kubernetes.io/b": "localhost/x",
     }),
     "forbidden AppArmor profile (annotation must not set AppArmor profile type to "
     '"container.apparmor.security.beta.kubernetes.io/a="unconfined"")'),
    ("SELinux", 0, NEWEST,
     pod({"seLinuxOptions": {"type": "spc_t", "user": "u"}},
         securityContext={"seLinuxOptions": {"role": "r"}}),
     'seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: type '
     '"spc_t"; user may not be set; role may not be set)'),
    ("SELinux of container engines", 0, 30,
     pod({"seLinuxOptions": {"type": "container_engine_t"}}),
     'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type '
     '"container_engine_t")'),
    ("procMount", 0, NEWEST, pod({"procMount": "Unmasked"}),
     'procMount (container "a" must not set securityContext.procMount to "Unmasked")'),
    ("procMount with own users", 0, 34, pod({"procMount": "Unmasked"}, hostUsers=False),
     'procMount (container "a" must not set securityContext.procMount to "Unmasked")'),
    ("seccomp", 19, NEWEST, pod({"seccompProfile": {"type": "Unconfined"}}),
     'seccompProfile (container "a" must not set securityContext.seccompProfile.type to '
     '"Unconfined")'),
    ("seccomp annotations", 0, 18,
     pod(annotations={"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}),
     "seccompProfile (forbidden annotation "
     'seccomp.security.alpha.kubernetes.io/pod="unconfined")'),
    ("sysctls", 0, NEWEST,
     pod(securityContext={"sysctls": [
         {"name": "kernel.sem"}, {"name": "kernel.shm_rmid_forced"}, {"name": "vm.swappiness"},
     ]}),
     "forbidden sysctls (kernel.sem, vm.swappiness)"),
    ("a sysctl of 1.27", 0, 26,
     pod(securityContext={"sysctls": [{"name": "net.ipv4.ip_local_reserved_ports"}]}),
     "forbidden sysctls (net.ipv4.ip_local_reserved_ports)"),
    ("a sysctl of 1.29", 0, 28,
     pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_fin_timeout"}]}),
     "forbidden sysctls (net.ipv4.tcp_fin_timeout)"),
    ("a sysctl of 1.32", 0, 31,
     pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}),
     "forbidden sysctls (net.ipv4.tcp_rmem)"),
]  # fmt: skip
RESTRICTED_CASES = [
    ("volume types", 0, NEWEST,
     good(volumes=[
         {"name": "v", "nfs": {}}, {"name": "w", "hostPath": {}}, {"name": "x", "image": {}},
     ]),
     'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")'),
    ("a volume type", 0, NEWEST, good(volumes=[{"name": "v", "nfs": {}}]),
     'restricted volume types (volume "v" uses restricted volume type "nfs")'),
    ("privilege escalation", 8, NEWEST, good({"allowPrivilegeEscalation": True}),
     'allowPrivilegeEscalation != false (container "a" must set '
     "securityContext.allowPrivilegeEscalation=false)"),
    ("privilege escalation on Windows", 8, 24, good({"allowPrivilegeEscalation": {}}, **WINDOWS),
     'allowPrivilegeEscalation != false (container "a" must set '
     "securityContext.allowPrivilegeEscalation=false)"),
    ("runAsNonRoot unset", 0, NEWEST, good({"runAsNonRoot": {}}),
     'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)'),
    ("runAsNonRoot false", 0, NEWEST, good({"runAsNonRoot": False}),
     'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)'),
    ("runAsNonRoot with own users", 0, 34, good({"runAsNonRoot": False}, hostUsers=False),
     'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)'),
    ("runAsUser", 23, NEWEST, good({"runAsUser": 0}, securityContext={"runAsUser": 0}),
     'runAsUser=0 (pod and container "a" must not set runAsUser=0)'),
    ("runAsUser with own users", 23, 34, good({"runAsUser": 0}, hostUsers=False),
     'runAsUser=0 (container "a" must not set runAsUser=0)'),
    ("seccomp unset", 19, NEWEST, good({"seccompProfile": {}}),
     'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to '
     '"RuntimeDefault" or "Localhost")'),
    ("seccomp unconfined", 19, NEWEST,
     good({"seccompProfile": {}}, securityContext={"seccompProfile": {"type": "Unconfined"}}),
     "seccompProfile (pod must not set securityContext.seccompProfile.type to "
     '"Unconfined")'),
    ("seccomp on Windows", 19, 24, good({"seccompProfile": {}}, **WINDOWS),
     'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to '
     '"RuntimeDefault" or "Localhost")'),
    ("capabilities kept", 22, NEWEST, good({"capabilities": {"add": ["NET_BIND_SERVICE"]}}),
     'unrestricted capabilities (container "a" must set '
     'securityContext.capabilities.drop=["ALL"])'),
    ("capabilities added", 22, NEWEST, good({"capabilities": {"add": ["CHOWN"]}}),
     'unrestricted capabilities (container "a" must set '
     'securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in '
     "securityContext.capabilities.add)"),
    ("capabilities on Windows", 22, 24, good({"capabilities": {}}, **WINDOWS),
     'unrestricted capabilities (container "a" must set '
     'securityContext.capabilities.drop=["ALL"])'),
    ("procMount", 0, NEWEST, good({"procMount": "Unmasked"}, hostUsers=False),
     'procMount (container "a" must not set securityContext.procMount to "Unmasked")'),
    ("nothing said", NEWEST, NEWEST, pod(),
     'allowPrivilegeEscalation != false (container "a" must set '
     "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "
     '"a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or '
     'container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container '
     '"a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'),
]  # fmt: skip
EVERY_VERSION = range(NEWEST + 1)


@pytest.mark.parametrize(
    ("first", "last", "subject", "words"),
    [pytest.param(*case[1:], id=case[0]) for case in BASELINE_CASES],
)
def test_baseline_forbids(first: int, last: int, subject: Pod, words: str) -> None:
    for minor in EVERY_VERSION:
        expected = words if first <= minor <= last else ""
        assert seen(BASELINE, minor, subject) == expected, f"v1.{minor}"


@pytest.mark.parametrize(
    ("first", "last", "subject", "words"),
    [pytest.param(*case[1:], id=case[0]) for case in RESTRICTED_CASES],
)
def test_restricted_forbids(first: int, last: int, subject: Pod, words: str) -> None:
    for minor in EVERY_VERSION if subject != pod() else [NEWEST]:
        expected = words if first <= minor <= last else ""
        assert seen(RESTRICTED, minor, subject) == expected, f"v1.{minor}"


def test_a_harmless_pod_is_fine_in_every_version() -> None:
    for minor in (*EVERY_VERSION, NEWEST + 7, LATEST):
        assert seen(RESTRICTED, minor, good()) == ""
    assert seen(PRIVILEGED, LATEST, pod({"privileged": True}, hostPID=True)) == ""


def test_restricted_has_all_of_baseline() -> None:
    for name, first, _, subject, _ in BASELINE_CASES:
        assert seen(RESTRICTED, max(first, 25 if "annot" not in name else 0), subject), name


def labels(**given: str) -> dict[str, str]:
    return {PREFIX + key.replace("_", "-"): value for key, value in given.items()}


def test_labels_make_the_policy() -> None:
    assert policy_of({}).forbids_nothing
    policy = policy_of(labels(enforce="baseline", audit="restricted", audit_version="v1.22"))
    assert str(policy.enforce) == "baseline:latest"
    assert str(policy.audit) == "restricted:v1.22"
    assert str(policy.warn) == "baseline:latest"
    pinned = policy_of(labels(enforce="restricted", enforce_version="v1.30", warn="baseline"))
    assert (str(pinned.enforce), str(pinned.warn)) == ("restricted:v1.30", "baseline:latest")


@pytest.mark.parametrize(
    ("given", "enforced", "words"),
    [
        (
            labels(enforce="strict"),
            "restricted:latest",
            'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": '
            "must be one of privileged, baseline, restricted",
        ),
        (
            labels(enforce="baseline", enforce_version="1.22"),
            "baseline:latest",
            'metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "1.22": '
            'must be "latest" or "v1.x"',
        ),
        (
            labels(warn="x", warn_version="v1.01"),
            "privileged:latest",
            'metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "x": '
            "must be one of privileged, baseline, restricted",
        ),
    ],
)
def test_wrong_labels_enforce_the_most(given: dict[str, str], enforced: str, words: str) -> None:
    policy = policy_of(given)
    assert str(policy.enforce) == enforced
    assert str(policy.errors[0]) == words
    assert policy.warn.level == PRIVILEGED or "enforce" in words


def test_existing_pods_are_told_of_by_reason() -> None:
    found = [("b", "privileged"), ("a", "privileged"), ("c", ""), ("d", "hostPort"), ("e", "x, y")]
    assert pod_warnings("n", "baseline:latest", [*found, ("f", "privileged")], (6, 9)) == [
        "new PodSecurity enforce level only checked against the first 6 of 9 existing pods",
        'existing pods in namespace "n" violate the new PodSecurity enforce level '
        '"baseline:latest"',
        "a (and 2 other pods): privileged",
        "d: hostPort",
        "e: x, y",
    ]
    assert pod_warnings("n", "baseline:latest", [("c", "")], (1, 1)) == []


def test_only_updates_that_matter_are_looked_at() -> None:
    def of(image: str, **spec: Any) -> Object:
        return {"spec": {"containers": [{"name": "a", "image": image}], **spec}}

    debugger = {"ephemeralContainers": [{"name": "d", "image": "x"}]}
    assert not is_significant(of("a", tolerations=[{}]), of("a"))
    assert is_significant(of("b"), of("a"))
    assert is_significant(of("a", **debugger), of("a"))
    assert not is_significant(of("a", **debugger), of("a", **debugger))
    assert is_significant(of("a", initContainers=[{"name": "i"}]), of("a"))


def test_templates_are_found_in_what_makes_pods() -> None:
    template = {"metadata": {"annotations": {"x": "y"}}, "spec": {"hostPID": True}}
    for group, plural, obj in (
        ("", "podtemplates", {"template": template}),
        ("apps", "deployments", {"spec": {"template": template}}),
        ("batch", "cronjobs", {"spec": {"jobTemplate": {"spec": {"template": template}}}}),
    ):
        assert template_of(group, plural, obj) == Pod({"x": "y"}, {"hostPID": True})
    assert template_of("", "replicationcontrollers", {"spec": {}}) is None
    assert template_of("", "services", {}) is None


def test_one_pod_of_each_controller_comes_first() -> None:
    def of(name: str, uid: str = "") -> Object:
        owners = [{"uid": uid, "controller": True}] if uid else []
        return {"metadata": {"name": name, "ownerReferences": owners}}

    pods = [of("a", "1"), of("b", "1"), of("c"), of("d", "2"), of("e")]
    order = [pod["metadata"]["name"] for pod in unlike_first(pods)]
    assert order == ["a", "c", "d", "e", "b"]
    assert pod_of(of("a")) == Pod({}, {})
