"""Options of Windows containers, and profiles that annotations and fields name both."""

from typing import Any

import pytest

from control_plane.api.resources import DEPLOYMENTS, PODS
from tests.control_plane.api.valid_objects import Obj, create_errors, named

CONTAINER = {"name": "c", "image": "i:1"}
OF_POD = "spec.securityContext.windowsOptions"
OF_CONTAINER = "spec.containers[0].securityContext.windowsOptions"
SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
ARMOR = "container.apparmor.security.beta.kubernetes.io/c"


def pod(of_pod: Obj | None = None, of_container: Obj | None = None, **spec: Any) -> Obj:
    container = {**CONTAINER, "securityContext": {"windowsOptions": of_container}}
    security = {"windowsOptions": of_pod}
    return named(PODS, spec={"containers": [container], "securityContext": security, **spec})


@pytest.mark.parametrize(
    "user", ["me", "DOMAIN\\me", "a.example.com\\me", "NT AUTHORITY\\SYSTEM", "a b.c"]
)
def test_right_users_are_taken(user: str) -> None:
    options = {"runAsUserName": user, "gmsaCredentialSpecName": "a.b", "gmsaCredentialSpec": "{}"}
    assert create_errors(PODS, pod(options, options)) == []


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ("", " cannot be an empty string"),
        ("a\tb", " cannot contain control characters"),
        ("a\\b\\c", " cannot contain more than one backslash"),
        ("d" * 256 + "\\u", "'s Domain length must be under 256 characters"),
        ("a:b\\u", "'s Domain doesn't match the NetBios nor the DNS format"),
        ("\\u", "'s Domain doesn't match the NetBios nor the DNS format"),
        ("d\\", "'s User cannot be empty"),
        ("u" * 105, "'s User length must not be longer than 104 characters"),
        (". .", "'s User cannot contain only periods or spaces"),
        ("a@b", "'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"),
    ],
)
def test_a_wrong_user_is_named(user: str, problem: str) -> None:
    options = {"runAsUserName": user}
    for path, obj in ((OF_POD, pod(options)), (OF_CONTAINER, pod(None, options))):
        errors = create_errors(PODS, obj)
        assert any(
            error.startswith(f"{path}.runAsUserName: Invalid value: ")
            and error.endswith(f": runAsUserName{problem}")
            for error in errors
        ), errors


def test_a_credential_is_there_and_not_too_large() -> None:
    for credential, problem in (("", "cannot be an empty string"), ("x" * 65537, "size must")):
        (error,) = create_errors(PODS, pod({"gmsaCredentialSpec": credential}))
        assert error.startswith(f"{OF_POD}.gmsaCredentialSpec: Invalid value: ")
        assert f": gmsaCredentialSpec {problem}" in error


def test_all_containers_are_host_processes_or_none() -> None:
    host, not_host = {"hostProcess": True}, {"hostProcess": False}
    assert create_errors(PODS, pod(host, hostNetwork=True)) == []
    assert create_errors(PODS, pod(host)) == [
        "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any "
        "hostProcess containers"
    ]
    assert create_errors(PODS, pod(host, not_host)) == [
        f"{OF_CONTAINER}.hostProcess: Invalid value: false: pod hostProcess value must be "
        "identical if both are specified, was true"
    ]
    mixed = pod(None, host, hostNetwork=True, initContainers=[{**CONTAINER, "name": "i"}])
    assert create_errors(PODS, mixed) == [
        'spec: Invalid value: "": If pod contains any hostProcess containers then all containers '
        "must be HostProcess containers"
    ]


@pytest.mark.parametrize(
    ("annotation", "profile", "problem"),
    [
        ("runtime/default", {"type": "RuntimeDefault"}, ""),
        ("docker/default", {"type": "RuntimeDefault"}, ""),
        ("unconfined", {"type": "RuntimeDefault"}, "type: Forbidden: seccomp type"),
        ("runtime/default", {"type": "Unconfined"}, "type: Forbidden: seccomp type"),
        ("localhost/a", {"type": "Localhost", "localhostProfile": "a"}, ""),
        (
            "localhost/a",
            {"type": "Localhost", "localhostProfile": "b"},
            "localhostProfile: Forbidden: seccomp profile",
        ),
        ("unconfined", {"type": "Localhost", "localhostProfile": "b"}, "type: Forbidden: seccomp"),
    ],
)
def test_seccomp_of_annotation_and_field_agree(annotation: str, profile: Obj, problem: str) -> None:
    spec = {"containers": [CONTAINER], "securityContext": {"seccompProfile": profile}}
    obj = named(PODS, spec=spec)
    obj["metadata"]["annotations"] = {SECCOMP: annotation}
    errors = create_errors(PODS, obj)
    if not problem:
        assert errors == []
        return
    (error,) = errors
    assert error.startswith(f"spec.securityContext.seccompProfile.{problem}")
    assert error.endswith(" in annotation and field must match")


def test_app_armor_of_annotation_and_field_agree_in_templates_too() -> None:
    profile = {"appArmorProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [{**CONTAINER, "securityContext": profile}]}
    metadata = {"labels": {"a": "b"}, "annotations": {ARMOR: "unconfined"}}
    text = "type: Forbidden: apparmor type in annotation and field must match"
    path = "containers[0].securityContext.appArmorProfile"
    obj = named(PODS, spec=spec)
    obj["metadata"]["annotations"] = metadata["annotations"]
    assert create_errors(PODS, obj) == [f"spec.{path}.{text}"]
    template = {"metadata": metadata, "spec": spec}
    selector = {"matchLabels": {"a": "b"}}
    deployment = named(DEPLOYMENTS, spec={"selector": selector, "template": template})
    assert create_errors(DEPLOYMENTS, deployment) == [f"spec.template.spec.{path}.{text}"]
