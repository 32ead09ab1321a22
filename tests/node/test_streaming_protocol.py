"""The remote-command frames, log options, and who may call. Pure parts of the HTTPS server."""

from typing import Any

import orjson
import pytest

from node.kubelet.runtimes.base import LogQuery
from node.kubelet.streaming.channels import (
    PROTOCOLS,
    ChannelProtocol,
    choose_protocol,
    error_status,
    exit_status,
    parse_resize,
)
from node.kubelet.streaming.log_options import LogRefusal, log_container_id, parse_options
from tests.node.builders import pod

BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)
def test_frames_come_back_as_they_went(protocol: ChannelProtocol) -> None:
    assert protocol.decode(protocol.encode(1, b"\x00\xffdata")) == (1, b"\x00\xffdata")
    assert protocol.decode(protocol.encode(2, b"")) == (2, b"")


def test_the_forms_on_the_wire() -> None:
    assert BY_NAME["v5.channel.k8s.io"].encode(1, b"hi") == b"\x01hi"
    assert BY_NAME["base64.channel.k8s.io"].encode(1, b"hi") == "1aGk="
    assert BY_NAME["v4.base64.channel.k8s.io"].decode("0!") is None
    assert BY_NAME["v4.channel.k8s.io"].decode(b"") is None
    assert BY_NAME["v4.channel.k8s.io"].decode("\0typed") == (0, b"typed")


def test_the_first_known_protocol_is_taken() -> None:
    chosen = choose_protocol(["v9.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"])
    assert chosen is not None
    assert chosen.name == "v4.channel.k8s.io"
    assert choose_protocol(["SPDY/3.1+portforward.k8s.io"]) is None


def test_the_last_message_depends_on_the_version() -> None:
    failed = exit_status(3)
    assert orjson.loads(BY_NAME["v4.channel.k8s.io"].final(failed)) == failed
    assert BY_NAME["channel.k8s.io"].final(exit_status(0)) == b""
    assert b"exit status 3" in BY_NAME["channel.k8s.io"].final(failed)


def test_statuses() -> None:
    assert exit_status(0) == {"metadata": {}, "status": "Success"}
    assert exit_status(7)["details"] == {"causes": [{"reason": "ExitCode", "message": "7"}]}
    assert exit_status(7)["reason"] == "NonZeroExitCode"
    assert error_status("boom")["message"].endswith("error executing command in container: boom")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"Width":80,"Height":24}', (80, 24)),
        (b'{"Width":0,"Height":24}', None),
        (b"{}", None),
        (b"junk", None),
        (b"[]", None),
    ],
)
def test_resize(payload: bytes, expected: tuple[int, int] | None) -> None:
    assert parse_resize(payload) == expected


@pytest.mark.parametrize(
    ("params", "query", "previous", "limit"),
    [
        ({}, LogQuery(), False, None),
        (
            {"follow": "true", "timestamps": "1"},
            LogQuery(follow=True, timestamps=True),
            False,
            None,
        ),
        ({"tailLines": "0"}, LogQuery(tail=0), False, None),
        ({"sinceSeconds": "10"}, LogQuery(since=90.0), False, None),
        ({"sinceTime": "1970-01-01T00:00:05Z"}, LogQuery(since=5.0), False, None),
        ({"previous": "true", "limitBytes": "9"}, LogQuery(), True, 9),
    ],
)
def test_log_options(
    params: dict[str, str], query: LogQuery, previous: bool, limit: int | None
) -> None:
    found = parse_options(params, now=100)
    assert (found.query, found.previous, found.limit_bytes) == (query, previous, limit)


@pytest.mark.parametrize(
    "params",
    [
        {"tailLines": "-1"},
        {"tailLines": "many"},
        {"limitBytes": "0"},
        {"sinceTime": "yesterday"},
        {"sinceSeconds": "1", "sinceTime": "1970-01-01T00:00:05Z"},
    ],
)
def test_log_options_that_make_no_sense(params: dict[str, str]) -> None:
    with pytest.raises(LogRefusal) as refusal:
        parse_options(params, now=100)
    assert refusal.value.code == 422


def with_state(state: dict[str, Any], last: dict[str, Any] | None = None) -> dict[str, Any]:
    entry = {"name": "main", "state": state, "lastState": last or {}, "containerID": "docker://now"}
    return pod(status={"containerStatuses": [entry]})


ENDED = {"terminated": {"containerID": "docker://then"}}


@pytest.mark.parametrize(
    ("state", "last", "previous", "expected"),
    [
        ({"running": {}}, {}, False, "now"),
        ({"running": {}}, ENDED, True, "then"),
        (ENDED, {}, False, "then"),
        ({"waiting": {"reason": "CrashLoopBackOff"}}, ENDED, False, "then"),
        ({"waiting": {"reason": "CrashLoopBackOff"}}, ENDED, True, "then"),
    ],
)
def test_whose_log(
    state: dict[str, Any], last: dict[str, Any], previous: bool, expected: str
) -> None:
    assert log_container_id(with_state(state, last), "main", previous=previous) == expected


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("ContainerCreating", "is waiting to start: ContainerCreating"),
        ("ErrImagePull", "is waiting to start: image can't be pulled"),
        ("ImagePullBackOff", "is waiting to start: trying and failing to pull image"),
    ],
)
def test_no_log_yet(reason: str, text: str) -> None:
    with pytest.raises(LogRefusal) as refusal:
        log_container_id(with_state({"waiting": {"reason": reason}}), "main", previous=False)
    assert str(refusal.value) == f'container "main" in pod "web" {text}'


def test_no_previous_container() -> None:
    with pytest.raises(LogRefusal) as refusal:
        log_container_id(with_state({"running": {}}), "main", previous=True)
    expected = 'previous terminated container "main" in pod "web" not found'
    assert (refusal.value.code, str(refusal.value)) == (400, expected)
