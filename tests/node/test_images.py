"""Images: names, pull policies, back-off after failures, credentials."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from node.kubelet.credentials import find_credentials, match_credentials
from node.kubelet.images import ImagePuller, StartFailure, normalized, pull_decision
from node.kubelet.runtimes.base import ImageRecord, RuntimeFailure
from node.kubelet.runtimes.simulated import SimulatedRuntime
from tests.node.builders import container, pod
from tests.node.test_volumes import Reader

FULL = "reg.example:5000/team/app@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("busybox", "busybox:latest"),
        ("busybox:1", "busybox:1"),
        ("reg.example:5000/team/app", "reg.example:5000/team/app:latest"),
        (FULL, FULL),
    ],
)
def test_names(reference: str, expected: str) -> None:
    assert normalized(reference) == expected


@pytest.mark.parametrize("reference", ["", "Upper", "a b", "x:", "x@sha256:1", "/x"])
def test_names_that_cannot_be(reference: str) -> None:
    with pytest.raises(StartFailure) as failure:
        normalized(reference)
    assert failure.value.wait.reason == "InvalidImageName"
    assert "invalid reference format" in failure.value.wait.message


@pytest.mark.parametrize(
    ("policy", "present", "decision"),
    [
        ("Always", True, "pull"),
        ("Always", False, "pull"),
        ("IfNotPresent", True, "use"),
        ("IfNotPresent", False, "pull"),
        ("Never", True, "use"),
        ("Never", False, "never"),
    ],
)
def test_policies(policy: str, present: bool, decision: str) -> None:
    assert pull_decision(policy, present) == decision


class Registry(SimulatedRuntime):
    """A runtime whose registry refuses all but one user."""

    def __init__(self, user: str = "") -> None:
        self.user, self.pulls, self.present = user, 0, False

    async def find_image(self, reference: str) -> ImageRecord | None:
        return ImageRecord("sha256:1", [reference]) if self.present else None

    async def pull_image(self, reference: str, credentials: Mapping[str, str] | None) -> None:
        self.pulls += 1
        if not self.user or (credentials or {}).get("username") != self.user:
            raise RuntimeFailure("pull access denied")
        self.present = True


class Events:
    """Collects events."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def normal(self, pod: Any, reason: str, message: str, *, container: str = "") -> None:
        self.said.append((reason, message))

    warning = normal


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def secret(*auths: tuple[str, str]) -> dict[str, Any]:
    entries = {
        host: {"auth": base64.b64encode(f"{user}:pw".encode()).decode()} for host, user in auths
    }
    config = orjson.dumps({"auths": entries})
    return {"data": {".dockerconfigjson": base64.b64encode(config).decode()}}


async def failure_of(puller: ImagePuller, spec: dict[str, Any]) -> StartFailure:
    with pytest.raises(StartFailure) as failure:
        await puller.ensure(spec, spec["spec"]["containers"][0])
    return failure.value


async def test_failed_pulls_back_off_and_are_tried_again() -> None:
    registry, events, clock = Registry(), Events(), Clock()
    puller = ImagePuller(registry, Reader(), events, clock)  # type: ignore[arg-type]
    spec = pod(container(image="x:1"))
    first = await failure_of(puller, spec)
    assert (first.wait.reason, first.wait.message) == ("ErrImagePull", "pull access denied")
    second = await failure_of(puller, spec)
    assert second.wait.reason == "ImagePullBackOff"
    expected = 'Back-off pulling image "x:1": ErrImagePull: pull access denied'
    assert (second.wait.message, second.retry_seconds) == (expected, 10)
    assert registry.pulls == 1
    clock.now += 10
    assert (await failure_of(puller, spec)).wait.reason == "ErrImagePull"
    assert (await failure_of(puller, spec)).retry_seconds == 20
    assert ("Failed", 'Failed to pull image "x:1": pull access denied') in events.said


async def test_pull_secrets_are_tried_one_after_the_other() -> None:
    registry = Registry("right")
    reader = Reader(
        secret_a=secret(("index.docker.io", "wrong")),
        secret_b=secret(("https://index.docker.io/v1/", "right")),
    )
    events = Events()
    puller = ImagePuller(registry, reader, events)  # type: ignore[arg-type]
    spec = pod(
        container(image="team/x:1"),
        imagePullSecrets=[{"name": "a"}, {"name": "gone"}, {"name": "b"}],
    )
    found = await puller.ensure(spec, spec["spec"]["containers"][0])
    assert (found.id, registry.pulls) == ("sha256:1", 2)
    assert "FailedToRetrieveImagePullSecret" in {reason for reason, _ in events.said}


async def test_never_pulls_nothing() -> None:
    registry = Registry("x")
    puller = ImagePuller(registry, Reader(), Events())  # type: ignore[arg-type]
    spec = pod(container(image="x:1", imagePullPolicy="Never"))
    assert (await failure_of(puller, spec)).wait.reason == "ErrImageNeverPull"
    assert registry.pulls == 0


@pytest.mark.parametrize(
    ("key", "reference", "matches"),
    [
        ("reg.example", "reg.example/x:1", True),
        ("https://reg.example/v2/", "reg.example/x:1", True),
        ("*.example", "reg.example/x:1", True),
        ("*.example", "a.reg.example/x:1", False),
        ("reg.example:5000", "reg.example/x:1", False),
        ("reg.example/team", "reg.example/team/x:1", True),
        ("reg.example/team", "reg.example/other/x:1", False),
        ("index.docker.io", "busybox:1", True),
        ("reg.example", "busybox:1", False),
    ],
)
def test_which_credentials_fit(key: str, reference: str, matches: bool) -> None:
    auths = {key: {"username": "u", "password": "p"}}
    assert bool(match_credentials(auths, reference)) is matches


async def test_secrets_that_make_no_sense_are_passed_over() -> None:
    reader = Reader(secret_bad={"data": {".dockerconfigjson": "bm9wZQ=="}})
    spec = pod(imagePullSecrets=[{"name": "bad"}])
    assert await find_credentials(spec, "x:1", reader) == ([], [])
