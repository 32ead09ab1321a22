"""JSON to messages and back: what the gateway takes, what it refuses, what it writes."""

from typing import Any

import pytest

from tests.contract.http.web import Web, b64


def test_put_and_range(web: Web, key: bytes) -> None:
    put = web.call("kv/put", {"key": b64(key), "value": b64(b"bar")})
    found = web.call("kv/range", {"key": b64(key)})

    assert set(put) == {"header"}
    assert set(put["header"]) == {"cluster_id", "member_id", "revision", "raft_term"}
    revision = put["header"]["revision"]
    assert found["kvs"] == [
        {
            "key": b64(key),
            "create_revision": revision,
            "mod_revision": revision,
            "version": "1",
            "value": b64(b"bar"),
        }
    ]
    assert found["count"] == "1"
    assert "more" not in found


def test_fields_at_their_default_are_left_out(web: Web, key: bytes) -> None:
    assert set(web.call("kv/range", {"key": b64(key)})) == {"header"}
    assert set(web.call("kv/deleterange", {"key": b64(key)})) == {"header"}


def test_binary_keys_and_values(web: Web, key: bytes) -> None:
    binary = bytes(range(256))

    web.call("kv/put", {"key": b64(key + binary), "value": b64(binary)})
    (found,) = web.call("kv/range", {"key": b64(key + binary)})["kvs"]

    assert (found["key"], found["value"]) == (b64(key + binary), b64(binary))


def test_a_txn(web: Web, key: bytes) -> None:
    answer = web.call(
        "kv/txn",
        {
            "compare": [{"key": b64(key), "target": "CREATE", "create_revision": "0"}],
            "success": [
                {"request_put": {"key": b64(key), "value": b64(b"1")}},
                {"requestTxn": {"failure": [], "success": [{"request_range": {"key": b64(key)}}]}},
                {"request_delete_range": {"key": b64(b"absent")}},
            ],
        },
    )

    put, inner, deleted = answer["responses"]
    revision = answer["header"]["revision"]
    assert answer["succeeded"] is True
    assert put == {"response_put": {"header": {"revision": revision}}}
    assert inner["response_txn"]["succeeded"] is True
    assert inner["response_txn"]["responses"][0]["response_range"]["count"] == "1"
    assert deleted == {"response_delete_range": {"header": {"revision": revision}}}


def test_a_txn_that_fails_says_nothing_of_succeeded(web: Web, key: bytes) -> None:
    answer = web.call(
        "kv/txn", {"compare": [{"key": b64(key), "target": "VERSION", "version": "3"}]}
    )

    assert set(answer) == {"header"}


def test_an_operation_of_the_old_shape_is_none(web: Web) -> None:
    old = {"success": [{"Request": {"RequestPut": {"key": "YQ=="}}}]}

    answer = web.send("POST", "/v3/kv/txn", old)

    assert (answer.status, answer.json) == (
        400,
        {"code": 3, "message": "etcdserver: key not found"},
    )


@pytest.mark.parametrize("body", ["", "  \n", "{}"])
def test_an_empty_body_is_an_empty_message(web: Web, body: str) -> None:
    answer = web.send("POST", "/v3/kv/range", body)

    assert answer.json == {"code": 3, "message": "etcdserver: key is not provided"}


TAKEN = {
    "number": '"limit": 1',
    "string": '"limit": "1"',
    "point": '"limit": 1.0',
    "exponent": '"limit": 1e0',
    "exponent in a string": '"limit": "10e-1"',
    "negative zero": '"limit": -0',
    "null": '"limit": null',
    "largest": '"max_mod_revision": "9223372036854775807"',
    "enum by name": '"sort_order": "DESCEND"',
    "enum by number": '"sort_order": 2',
    "enum of no such name": '"sort_order": "SIDEWAYS"',
    "lowerCamelCase": '"sortOrder": "DESCEND", "keysOnly": true',
    "unknown field": '"bogus": {"deep": [1, {"a": null}]}',
    "unknown field given twice": '"bogus": 1, "bogus": 2',
    "unpadded": '"range_end": "AA"',
    "url-safe": '"range_end": "_-8="',
    "url-safe, unpadded": '"range_end": "_-8"',
    "newline in base64": r'"range_end": "_-8=\n\n\n\n"',
    "escape": r'"range_end": "\u0041A=="',
}
REFUSED = {
    "fraction": '"limit": 1.5',
    "space": '"limit": " 1"',
    "plus": '"limit": "+1"',
    "leading zero": '"limit": "01"',
    "empty": '"limit": ""',
    "word": '"limit": "one"',
    "too large": '"limit": "9223372036854775808"',
    "far too large": '"limit": 1e400',
    "bool for number": '"limit": true',
    "object for number": '"limit": {}',
    "string for bool": '"keys_only": "true"',
    "number for bool": '"keys_only": 1',
    "number for bytes": '"range_end": 12',
    "no base64": '"range_end": "A!=="',
    "space in base64": '"range_end": "AA AA"',
    "one letter too many": '"range_end": "AAAAA"',
    "padding too many": '"range_end": "AA==="',
    "both alphabets": '"range_end": "_+8="',
    "field twice": '"limit": 1, "limit": 1',
    "field twice under two names": '"range_end": "", "rangeEnd": ""',
    "not a number": '"limit": NaN',
    "trailing comma": '"limit": 1,',
    "single quotes": "'limit': 1",
    "half a surrogate pair": r'"range_end": "\ud800"',
    "array for message": '"key": []',
}


@pytest.mark.parametrize("field", TAKEN.values(), ids=TAKEN)
def test_taken(web: Web, key: bytes, field: str) -> None:
    answer = web.send("POST", "/v3/kv/range", f'{{"key": "{b64(key)}", {field}}}')

    assert answer.status == 200, answer


@pytest.mark.parametrize("field", REFUSED.values(), ids=REFUSED)
def test_refused(web: Web, field: str) -> None:
    answer = web.send("POST", "/v3/kv/range", f'{{"key": "YQ==", {field}}}')

    assert (answer.status, answer.json["code"]) == (400, 3), answer
    assert answer.json["message"]


@pytest.mark.parametrize("body", ["[]", "null", '"a"', "1", "{", "}", "xx", '{"key": "YQ=="'])
def test_no_object(web: Web, body: str) -> None:
    answer = web.send("POST", "/v3/kv/range", body)

    assert (answer.status, answer.json["code"]) == (400, 3), answer


@pytest.mark.parametrize("rest", [" rest", '{"key": "YQ=="}', "]"])
def test_only_the_first_value_counts(web: Web, key: bytes, rest: str) -> None:
    web.call("kv/range", f'{{"key": "{b64(key)}"}}{rest}')


@pytest.mark.parametrize(
    "body",
    [
        {"success": {}},
        {"success": [None]},
        {"success": [1]},
        {"success": [{"request_put": {"key": "YQ=="}, "request_range": {"key": "YQ=="}}]},
        {"compare": [{"key": "YQ==", "version": "1", "lease": "1"}]},
    ],
)
def test_a_txn_of_the_wrong_shape(web: Web, body: dict[str, Any]) -> None:
    answer = web.send("POST", "/v3/kv/txn", body)

    assert (answer.status, answer.json["code"]) == (400, 3), answer


def test_null_is_no_member_of_a_oneof(web: Web, key: bytes) -> None:
    answer = web.call(
        "kv/txn", {"success": [{"request_put": None, "request_range": {"key": b64(key)}}]}
    )

    assert "response_range" in answer["responses"][0]


def test_text_that_is_not_utf8(web: Web) -> None:
    answer = web.send("POST", "/v3/auth/user/get", b'{"name": "\xff"}')

    assert answer.status == 400


def test_enums_are_written_by_name(web: Web) -> None:
    raised = {"memberID": "5", "alarm": "CORRUPT"}

    answer = web.call("maintenance/alarm", {"action": "ACTIVATE", **raised})
    web.call("maintenance/alarm", {"action": "DEACTIVATE", **raised})

    assert answer["alarms"] == [raised]


def test_status_and_members(web: Web) -> None:
    status = web.call("maintenance/status")
    members = web.call("cluster/member/list")

    assert status["version"].startswith("3.6.")
    assert status["leader"] == status["header"]["member_id"]
    assert int(status["dbSize"]) >= int(status["dbSizeInUse"]) > 0
    assert [member["ID"] for member in members["members"]] == [status["leader"]]
    assert members["members"][0]["clientURLs"]
