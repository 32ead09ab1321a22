"""How a refused call is answered."""

import json
import re

import pytest

from tests.contract.http.web import Web, b64

REFUSALS = [
    ("kv/range", {}, 400, 3, "etcdserver: key is not provided"),
    (
        "kv/compaction",
        {"revision": "1000000"},
        400,
        11,
        "etcdserver: mvcc: required revision is a future revision",
    ),
    ("lease/revoke", {"ID": "77"}, 404, 5, "etcdserver: requested lease not found"),
    ("kv/lease/revoke", {"ID": "77"}, 404, 5, "etcdserver: requested lease not found"),
    (
        "maintenance/transfer-leadership",
        {"targetID": "99"},
        400,
        9,
        "etcdserver: bad leader transferee",
    ),
    ("auth/user/get", {"name": "nobody"}, 400, 9, "etcdserver: user name not found"),
    ("election/leader", {"name": "bm9uZQ=="}, 500, 2, "election: no leader"),
    ("auth/authenticate", {"name": "a"}, 400, 9, "etcdserver: authentication is not enabled"),
]


@pytest.mark.parametrize(("path", "body", "status", "code", "message"), REFUSALS)
def test_refusals(
    web: Web, path: str, body: dict[str, str], status: int, code: int, message: str
) -> None:
    answer = web.send("POST", f"/v3/{path}", body)

    assert (answer.status, answer.json) == (status, {"code": code, "message": message})
    assert answer.headers["content-type"] == "application/json"
    assert "grpc-metadata-content-type" not in answer.headers


@pytest.mark.parametrize(
    ("alarm", "status", "code", "message"),
    [
        ("NOSPACE", 429, 8, "etcdserver: mvcc: database space exceeded"),
        ("CORRUPT", 500, 15, "etcdserver: corrupt cluster"),
    ],
)
def test_alarms(web: Web, key: bytes, alarm: str, status: int, code: int, message: str) -> None:
    raised = {"memberID": "5", "alarm": alarm}
    web.call("maintenance/alarm", {"action": "ACTIVATE", **raised})

    answer = web.send("POST", "/v3/kv/put", {"key": b64(key)})

    web.call("maintenance/alarm", {"action": "DEACTIVATE", **raised})
    assert (answer.status, answer.json) == (status, {"code": code, "message": message})


def test_a_lease_that_exists(web: Web) -> None:
    lease = web.call("lease/grant", {"TTL": "60"})["ID"]

    answer = web.send("POST", "/v3/lease/grant", {"TTL": "60", "ID": lease})

    message = "etcdserver: lease already exists"
    assert (answer.status, answer.json) == (400, {"code": 9, "message": message})


def test_a_put_that_is_too_large(web: Web, key: bytes) -> None:
    answer = web.send("POST", "/v3/kv/put", {"key": b64(key), "value": b64(b"x" * 1_600_000)})

    assert answer.status == 400
    assert answer.json == {"code": 3, "message": "etcdserver: request is too large"}


def test_a_message_that_is_too_large(web: Web, key: bytes) -> None:
    body = json.dumps({"key": b64(b"k"), "value": b64(b"x" * 2_200_000)})

    answer = web.send("POST", "/v3/kv/put", body)

    message = "grpc: received message larger than max (2200008 vs. 2097152)"
    assert (answer.status, answer.json) == (429, {"code": 8, "message": message})


@pytest.mark.parametrize("timeout", ["bogus", "100", "5s", "S"])
def test_a_timeout_that_is_none(web: Web, timeout: str) -> None:
    answer = web.send("POST", "/v3/kv/range", "{}", {"Grpc-Timeout": timeout})

    assert (answer.status, answer.json) == (
        400,
        {"code": 3, "message": f"invalid grpc-timeout: {timeout}"},
    )


def test_binary_metadata_that_is_none(web: Web, key: bytes) -> None:
    headers = {"Grpc-Metadata-Some-Bin": "!!"}

    answer = web.send("POST", "/v3/kv/range", {"key": b64(key)}, headers)

    message = "invalid binary header Grpc-Metadata-Some-Bin: illegal base64 data at input byte 0"
    assert (answer.status, answer.json) == (400, {"code": 3, "message": message})


def without_position(message: str) -> str:
    """Return a message of protobuf's parser without the line and column, its spaces as spaces."""
    found = re.compile(r"(?<=error) \(line \d+:\d+\)|(?<=proto:) \(line \d+:\d+\):")
    return found.sub("", message.replace("\xa0", " "))


OBJECT_KEY, VALUE = "looking for beginning of object key string", "looking for beginning of value"
PAIR, ELEMENT = "after object key:value pair", "after array element"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"a":1,}', f"invalid character '}}' {OBJECT_KEY}"),
        ("{a:1}", f"invalid character 'a' {OBJECT_KEY}"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', f"invalid character '\"' {PAIR}"),
        ('{"a":["]",{}, 1 2]}', f"invalid character '2' {ELEMENT}"),
        ('{"a":[1,[2],{"b":"[" 3}]}', f"invalid character '3' {PAIR}"),
        ('{"a":[1,]}', f"invalid character ']' {VALUE}"),
        ("{\"a\":'x'}", f"invalid character '\\'' {VALUE}"),
        ('{"a":"x\ny"}', "invalid character '\\n' in string literal"),
        ('{"a":"\\x"}', "invalid character 'x' in string escape code"),
        ('{"a":"\\u12g4"}', "invalid character 'g' in \\u hexadecimal character escape"),
        ('{"a":truE}', "invalid character 'E' in literal true (expecting 'e')"),
        ('{"a":1.}', "invalid character '}' after decimal point in numeric literal"),
        ('{"a":1.5.2}', f"invalid character '.' {PAIR}"),
        ('{"a":1e+}', "invalid character '}' in exponent of numeric literal"),
        ('{"a":-Infinity}', "invalid character 'I' in numeric literal"),
        ('{"a":-x}', "invalid character 'x' in numeric literal"),
        ('{"a":01}', f"invalid character '1' {PAIR}"),
        ('{"a":nul', "unexpected EOF"),
        (b'{"a":\xff}', f"invalid character 'ÿ' {VALUE}"),
        (b"\xa0{}", f"invalid character '\\u00a0' {VALUE}"),
        ("\x0b", f"invalid character '\\v' {VALUE}"),
        (b'{"x":"\xff"}', "proto: syntax error: invalid UTF-8 in string"),
        ('{"x":"\\ud800"}', "proto: unexpected EOF"),
        (
            '{"x":"\\ud800\\u0041"}',
            'proto: syntax error: invalid escape code "\\\\u0041" in string',
        ),
        ('{"keys_only":1}', "proto: invalid value for bool field keysOnly: 1"),
        ('{"limit":{"a":1}}', "proto: invalid value for int64 field limit: {"),
        ('{"key":[]}', "proto: invalid value for bytes field key: ["),
    ],
)
@pytest.mark.etcd_since("3.5.30")
def test_a_body_that_is_no_json(web: Web, body: str | bytes, message: str) -> None:
    answer = web.send("POST", "/v3/kv/range", body)

    assert (answer.status, answer.json["code"]) == (400, 3)
    assert without_position(answer.json["message"]) == message


def test_what_follows_a_body_is_left_alone(web: Web, key: bytes) -> None:
    body = json.dumps({"key": b64(key)}).encode()

    assert web.send("POST", "/v3/kv/range", body + b" \xff").status == 200


@pytest.mark.etcd_since("3.5.30")
def test_the_name_of_an_id_has_no_other_form(web: Web) -> None:
    answer = web.call("lease/timetolive", {"iD": "7"})

    assert "ID" not in answer


def test_a_deadline(web: Web, key: bytes) -> None:
    held = web.call("lock/lock", {"name": b64(key)})["key"]

    answer = web.send("POST", "/v3/lock/lock", {"name": b64(key)}, {"Grpc-Timeout": "100m"})

    web.call("lock/unlock", {"key": held})
    assert (answer.status, answer.json["code"]) == (504, 4)
