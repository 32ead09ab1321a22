"""Streams: one JSON object a line out, a sequence of JSON objects in."""

import socket

import pytest

from tests.contract.http.metrics import value_of
from tests.contract.http.web import Web, b64, eventually


def test_a_watch_of_the_past(web: Web, key: bytes) -> None:
    put = web.call("kv/put", {"key": b64(key), "value": b64(b"1")})
    revision = put["header"]["revision"]
    create = {"create_request": {"key": b64(key), "start_revision": revision}}

    with web.stream("watch", create) as stream:
        created, event = stream.result(), stream.result()

    assert stream.status == 200
    assert stream.headers["content-type"] == "application/json"
    assert stream.headers["grpc-metadata-content-type"] == "application/grpc"
    assert stream.headers["transfer-encoding"] == "chunked"
    assert set(created) == {"header", "created"}
    assert set(event) == {"header", "events"}
    assert event["events"] == [
        {
            "kv": {
                "key": b64(key),
                "create_revision": revision,
                "mod_revision": revision,
                "version": "1",
                "value": b64(b"1"),
            }
        }
    ]


def test_a_watch_goes_on_when_the_body_has_ended(web: Web, key: bytes) -> None:
    with web.stream("watch", {"create_request": {"key": b64(key), "prev_kv": True}}) as stream:
        assert stream.result()["created"]
        web.call("kv/put", {"key": b64(key), "value": b64(b"1")})
        put = stream.result()
        web.call("kv/deleterange", {"key": b64(key)})
        (deleted,) = stream.result()["events"]

    assert "type" not in put["events"][0]
    assert deleted["type"] == "DELETE"
    assert deleted["prev_kv"]["value"] == b64(b"1")


@pytest.mark.ours_only("Go's server answers HTTP/1.1 only when the body has ended")
def test_a_conversation(web: Web, key: bytes) -> None:
    with web.talk("watch") as talk:
        talk.say({"create_request": {"key": b64(key), "watch_id": "7"}})
        stream = talk.listen()
        created = stream.result()
        talk.say({"create_request": {"key": b64(key + b"x"), "filters": ["NOPUT"]}})
        second = stream.result()
        talk.say({"progress_request": {}})
        progress = stream.result()
        talk.say({"cancel_request": {"watch_id": "7"}})
        canceled = stream.result()
        talk.hang_up()
        web.call("kv/deleterange", {"key": b64(key + b"x")})
        web.call("kv/put", {"key": b64(key + b"x")})
        web.call("kv/deleterange", {"key": b64(key + b"x")})
        events = stream.result()

    assert (created["watch_id"], "watch_id" in second) == ("7", False)
    assert progress["watch_id"] == "-1"
    assert canceled["canceled"] is True
    assert [event["type"] for event in events["events"]] == ["DELETE"]


def test_several_messages_in_one_body(web: Web, key: bytes) -> None:
    body = "\n ".join(
        f'{{"create_request": {{"key": "{b64(key)}", "watch_id": {number}}}}}' for number in (3, 4)
    )

    with web.stream("watch", body) as stream:
        assert [stream.result()["watch_id"] for _ in range(2)] == ["3", "4"]


def test_a_compacted_watch(web: Web, key: bytes) -> None:
    revisions = [web.call("kv/put", {"key": b64(key)})["header"]["revision"] for _ in range(3)]
    web.call("kv/compaction", {"revision": revisions[-1]})

    create = {"create_request": {"key": b64(key), "start_revision": revisions[0]}}
    with web.stream("watch", create) as stream:
        stream.result()
        canceled = stream.result()

    assert (canceled["canceled"], canceled["compact_revision"]) == (True, revisions[-1])


def test_keepalives_end_with_the_body(web: Web) -> None:
    lease = web.call("lease/grant", {"TTL": "60"})["ID"]

    answer = web.send("POST", "/v3/lease/keepalive", f'{{"ID": "{lease}"}} {{"ID": 1}}')

    first, second = (message["result"] for message in answer.messages)
    assert (first["ID"], first["TTL"]) == (lease, "60")
    assert second["ID"] == "1"
    assert "TTL" not in second


def test_nothing_asked(web: Web) -> None:
    answer = web.send("POST", "/v3/lease/keepalive", "")

    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("rest", ["{", "]", '{"ID": "x"}', '{"ID": 1, "ID": 1}', '{"ID": [}'])
def test_what_makes_no_sense_ends_the_body(web: Web, rest: str) -> None:
    lease = web.call("lease/grant", {"TTL": "60"})["ID"]

    answer = web.send("POST", "/v3/lease/keepalive", f'{{"ID": "{lease}"}}{rest}{{"ID": "1"}}')

    assert answer.status == 200
    assert [message["result"]["ID"] for message in answer.messages] == [lease]


def test_a_deadline(web: Web, key: bytes) -> None:
    timeout = {"Grpc-Timeout": "300m"}

    begun = web.send("POST", "/v3/watch", {"create_request": {"key": b64(key)}}, timeout)
    silent = web.send("POST", "/v3/watch", "", timeout)

    assert begun.status == 200
    assert begun.messages[-1]["error"]["code"] == 4
    assert silent.status == 504
    assert [message["error"]["code"] for message in silent.messages] == [4]
    assert silent.headers["content-type"] == "application/json"


def test_a_snapshot(web: Web) -> None:
    with web.stream("maintenance/snapshot", "{}") as stream:
        first = stream.result()

    assert first["blob"]


def test_observing_an_election(web: Web, key: bytes) -> None:
    lease = web.call("lease/grant", {"TTL": "60"})["ID"]
    campaign = {"name": b64(key), "lease": lease, "value": b64(b"1")}
    leader = web.call("election/campaign", campaign)["leader"]

    with web.stream("election/observe", {"name": b64(key)}) as stream:
        first = stream.result()
        web.call("election/proclaim", {"leader": leader, "value": b64(b"2")})
        second = stream.result()

    assert [seen["kv"]["value"] for seen in (first, second)] == [b64(b"1"), b64(b"2")]


def test_a_lock_is_left_by_a_client_that_goes_away(web: Web, key: bytes) -> None:
    held = web.call("lock/lock", {"name": b64(key)})["key"]
    prefix = {"key": b64(key + b"/"), "range_end": b64(key + b"0"), "count_only": True}
    body = f'{{"name": "{b64(key)}"}}'

    host, port = web.address.split(":")
    with socket.create_connection((host, int(port))) as waiting:
        head = f"POST /v3/lock/lock HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        waiting.sendall((head + body).encode())
        eventually(lambda: web.call("kv/range", prefix)["count"] == "2", "waiting for the lock")

    eventually(lambda: web.call("kv/range", prefix)["count"] == "1", "giving up the lock")
    web.call("lock/unlock", {"key": held})


def test_a_watch_ends_with_its_client(web: Web, key: bytes) -> None:
    name = "etcd_debugging_mvcc_watcher_total"
    eventually(lambda: value_of(web, name) == 0, "the end of other tests' watches")

    with web.stream("watch", {"create_request": {"key": b64(key)}}) as stream:
        stream.result()
        assert value_of(web, name) == 1

    eventually(lambda: value_of(web, name) == 0, "the end of the watch")
