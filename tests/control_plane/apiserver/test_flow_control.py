"""Priority and fairness on a running server: who waits, who is turned away, who is not delayed."""

import asyncio
import contextlib
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.control_plane.apiserver.conftest import raw_api
from tests.support.apiserver import NODE, ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

Object = dict[str, Any]

SCHEMAS = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
LEVELS = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations"
DUMPS = "/debug/api_priority_and_fairness"
TOO_MANY = "Too many requests, please try again later.\n"
SEATS = 3  # 1 share of 600 seats among 246, rounded up
QUEUE = 2
# waits for a version that does not come, for 3 s
SLOW = "/apis/storage.k8s.io/v1/storageclasses?resourceVersion=999999999999"  # few: one seat
FLOODER = "controller-manager"  # may do everything, and is a user of its own


def level(name: str, **response: Any) -> Object:
    limited = {
        "nominalConcurrencyShares": 1, "lendablePercent": 0, "borrowingLimitPercent": 0,
        "limitResponse": response,
    }  # fmt: skip
    return {"metadata": {"name": name}, "spec": {"type": "Limited", "limited": limited}}


def queued(name: str, length: int = QUEUE) -> Object:
    queuing = {"queues": 1, "handSize": 1, "queueLengthLimit": length}
    return level(name, type="Queue", queuing=queuing)


def schema(name: str, user: str, priority_level: str) -> Object:
    rules = {
        "resourceRules": [{
            "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"],
            "clusterScope": True,
        }],
    }  # fmt: skip
    spec = {
        "matchingPrecedence": 50,
        "priorityLevelConfiguration": {"name": priority_level},
        "distinguisherMethod": {"type": "ByUser"},
        "rules": [{"subjects": [{"kind": "User", "user": {"name": user}}], **rules}],
    }
    return {"metadata": {"name": name}, "spec": spec}


def uid(api: RawApi, path: str, name: str) -> str:
    return str(api.get(f"{path}/{name}").json["metadata"]["uid"])


@contextlib.contextmanager
def narrow(api: RawApi, server: ThreadedApiServer, made: Object) -> Iterator[str]:
    """The flooder's requests go to a level of their own with SEATS seats, for the block."""
    name = made["metadata"]["name"]
    assert api.post(LEVELS, made).code == 201
    assert api.post(SCHEMAS, schema(name, "system:kube-controller-manager", name)).code == 201
    expected = uid(api, LEVELS, name)

    def is_in_force() -> bool:
        with raw_api(server, FLOODER) as flooder:
            headers = flooder.get("/api/v1/namespaces").headers
        return bool(headers["X-Kubernetes-PF-PriorityLevel-UID"] == expected)

    try:
        wait_until(is_in_force, "the level")
        yield name
    finally:
        assert api.delete(f"{SCHEMAS}/{name}").code == 200
        assert api.delete(f"{LEVELS}/{name}").code == 200


@pytest.fixture
def narrow_level(api: RawApi, server: ThreadedApiServer) -> Iterator[str]:
    with narrow(api, server, queued(f"narrow-{uuid.uuid4().hex[:8]}")) as name:
        yield name


class Caller:
    """Many requests at once of one user, each over a connection of its own."""

    def __init__(self, server: ThreadedApiServer, user: str) -> None:
        self._url = server.url
        pair = server.pki.pair(user)
        self._tls = ssl.create_default_context(cafile=str(server.pki.pair("ca").certificate))
        self._tls.load_cert_chain(pair.certificate, pair.key)

    async def __aenter__(self) -> "Caller":
        self._connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=self._connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connector.close(abort_ssl=True)
        await self._session.close()
        for _turn in range(4):  # what is aborted closes its socket in the next turns of the loop
            await asyncio.sleep(0)

    async def call(
        self, path: str, method: str = "GET", body: Any = None, kind: str = "json"
    ) -> tuple[int, Any, str]:
        """Return status, headers and text; the body is sent as application/`kind`."""
        request = self._session.request(
            method,
            self._url + path,
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": f"application/{kind}"},
            ssl=self._tls,
        )
        async with request as response:
            return response.status, response.headers, await response.text()

    @contextlib.asynccontextmanager
    async def asking(self, path: str, times: int) -> AsyncIterator[None]:
        """Ask so often at once, and leave at the end of the block without an answer."""
        host, port = self._url.removeprefix("https://").split(":")
        opened = [
            await asyncio.open_connection(host, int(port), ssl=self._tls) for _ in range(times)
        ]
        for _, writer in opened:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        yield
        for _, writer in opened:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    @contextlib.asynccontextmanager
    async def watch(self, path: str) -> AsyncIterator[int]:
        """Keep a watch open; gives its status."""
        async with self._session.get(f"{self._url}{path}?watch=1", ssl=self._tls) as response:
            yield response.status
            # A polite end of TLS would outlast the loop, and leave the socket to the collector.
            if response.connection is not None and response.connection.transport is not None:
                response.connection.transport.abort()


@pytest.fixture
async def flooder(server: ThreadedApiServer) -> AsyncIterator[Caller]:
    async with Caller(server, FLOODER) as caller:
        yield caller


def dump(api: RawApi, name: str) -> dict[str, str]:
    """The row of a priority level, by heading."""
    text = api.get(f"{DUMPS}/dump_priority_levels").text
    heading, *rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    (found,) = [row for row in rows if row[0] == name]
    return dict(zip(heading, found, strict=True))


async def wait_for(api: RawApi, name: str, **counts: int) -> None:
    """Wait until the level's row has these numbers."""
    wanted = {key: str(value) for key, value in counts.items()}

    def has_them() -> bool:
        row = dump(api, name)
        return all(row[key] == value for key, value in wanted.items())

    await asyncio.to_thread(wait_until, has_them, str(counts))


def test_answers_name_the_schema_and_the_level(api: RawApi, server: ThreadedApiServer) -> None:
    headers = api.get("/api/v1/namespaces").headers
    assert headers["X-Kubernetes-PF-FlowSchema-UID"] == uid(api, SCHEMAS, "exempt")
    assert headers["X-Kubernetes-PF-PriorityLevel-UID"] == uid(api, LEVELS, "exempt")
    with raw_api(server, f"kubelet-{NODE}") as node:
        headers = node.get("/api/v1/nodes").headers
        assert headers["X-Kubernetes-PF-FlowSchema-UID"] == uid(api, SCHEMAS, "system-node-high")
        headers = node.get("/api/v1/nodes/absent").headers
        assert headers["X-Kubernetes-PF-PriorityLevel-UID"] == uid(api, LEVELS, "node-high")
    with raw_api(server, "") as nobody:
        refused = nobody.get("/api/v1/pods")
        assert refused.code == 403
        assert refused.headers["X-Kubernetes-PF-FlowSchema-UID"] == uid(
            api, SCHEMAS, "global-default"
        )


async def test_a_full_queue_turns_away(api: RawApi, narrow_level: str, flooder: Caller) -> None:
    calls = [asyncio.create_task(flooder.call(SLOW)) for _ in range(SEATS + QUEUE)]
    await wait_for(api, narrow_level, ExecutingRequests=SEATS, WaitingRequests=QUEUE)
    refused = [await flooder.call(SLOW) for _ in range(4)]
    for status, headers, text in refused:
        assert (status, text) == (429, TOO_MANY)
        assert headers["Retry-After"] in ("1", "2")  # two, when three were refused a second ago
        assert headers["X-Kubernetes-PF-PriorityLevel-UID"] == uid(api, LEVELS, narrow_level)
    assert dump(api, narrow_level)["RejectedRequests"] == "4"
    answers = await asyncio.gather(*calls)
    assert [status for status, _, _ in answers] == [504] * (SEATS + QUEUE)
    await wait_for(api, narrow_level, ExecutingRequests=0, WaitingRequests=0)


async def test_waiting_ends_after_a_quarter_of_the_time(
    api: RawApi, narrow_level: str, flooder: Caller
) -> None:
    calls = [asyncio.create_task(flooder.call(SLOW)) for _ in range(SEATS)]
    await wait_for(api, narrow_level, ExecutingRequests=SEATS)
    status, _, text = await flooder.call("/api/v1/namespaces?timeout=1s")
    assert (status, text) == (429, TOO_MANY)
    assert dump(api, narrow_level)["TimedoutRequests"] == "1"
    await asyncio.gather(*calls)


async def test_without_queues_the_limit_turns_away(
    api: RawApi, server: ThreadedApiServer, flooder: Caller
) -> None:
    with narrow(api, server, level(f"reject-{uuid.uuid4().hex[:8]}", type="Reject")) as name:
        calls = [asyncio.create_task(flooder.call(SLOW)) for _ in range(SEATS)]
        await wait_for(api, name, ExecutingRequests=SEATS)
        assert (await flooder.call("/api/v1/namespaces"))[0] == 429
        await asyncio.gather(*calls)
        assert (await flooder.call("/api/v1/namespaces"))[0] == 200


async def test_who_leaves_makes_room_at_once(
    api: RawApi, narrow_level: str, flooder: Caller
) -> None:
    async with flooder.asking(SLOW, SEATS + QUEUE):
        await wait_for(api, narrow_level, ExecutingRequests=SEATS, WaitingRequests=QUEUE)
    await wait_for(api, narrow_level, ExecutingRequests=0, WaitingRequests=0)
    assert int(dump(api, narrow_level)["CancelledRequests"]) <= QUEUE
    assert (await flooder.call("/api/v1/namespaces"))[0] == 200


async def test_what_lasts_takes_no_seat(api: RawApi, narrow_level: str, flooder: Caller) -> None:
    async with contextlib.AsyncExitStack() as watches:
        for _ in range(2 * (SEATS + QUEUE)):
            assert await watches.enter_async_context(flooder.watch("/api/v1/namespaces")) == 200
        await wait_for(api, narrow_level, ExecutingRequests=0, WaitingRequests=0)
        status, headers, _ = await flooder.call("/api/v1/namespaces/default/pods/none/log")
        assert status == 403  # for want of a role, not of a seat
        assert "X-Kubernetes-PF-FlowSchema-UID" not in headers


async def test_a_flood_does_not_delay_heartbeats(
    api: RawApi, server: ThreadedApiServer, narrow_level: str, flooder: Caller
) -> None:
    """While one user's requests fill the seats and the queue, a node's are all served."""
    name = NODE
    assert api.post("/api/v1/nodes", {"metadata": {"name": name}}).code in (201, 409)
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    api.delete(f"{leases}/{name}")
    lease: Object = {"metadata": {"name": name}, "spec": {"holderIdentity": name}}
    flood = [asyncio.create_task(flooder.call(SLOW)) for _ in range(40)]
    await wait_for(api, narrow_level, ExecutingRequests=SEATS, WaitingRequests=QUEUE)
    async with Caller(server, f"kubelet-{NODE}") as node:
        statuses = [(await node.call(leases, "POST", lease))[0]]
        for beat in range(20):
            lease["spec"]["holderIdentity"] = str(beat)
            current = json.loads((await node.call(f"{leases}/{name}"))[2])
            statuses.append(
                (await node.call(f"{leases}/{name}", "PUT", {**current, "spec": lease["spec"]}))[0]
            )
            status = {"status": {"nodeInfo": {"machineID": str(beat)}}}
            path = f"/api/v1/nodes/{name}/status"
            statuses.append((await node.call(path, "PATCH", status, "merge-patch+json"))[0])
    assert statuses == [201] + [200] * 40
    waiting = [call for call in flood if not call.done()]
    answered = [call.result()[0] for call in flood if call.done()]
    assert 429 in answered
    assert waiting
    await asyncio.gather(*flood)
    assert api.delete(f"/api/v1/nodes/{name}").code == 200


def test_what_is_mandatory_comes_back(api: RawApi) -> None:
    for path in (f"{LEVELS}/catch-all", f"{SCHEMAS}/catch-all", f"{SCHEMAS}/probes"):
        before = api.get(path).json
        assert api.delete(path).code == 200

        def is_back(path: str = path, before: Object = before) -> bool:
            found = api.get(path)
            return found.code == 200 and found.json["metadata"]["uid"] != before["metadata"]["uid"]

        wait_until(is_back, path)
        assert api.get(path).json["spec"] == before["spec"]


def test_an_administrators_change_stays(api: RawApi) -> None:
    path = f"{SCHEMAS}/service-accounts"
    mine = {"metadata": {"annotations": {"apf.kubernetes.io/autoupdate-spec": "false"}},
            "spec": {"matchingPrecedence": 8999}}  # fmt: skip
    assert api.patch(path, mine).code == 200
    back = {"spec": {"matchingPrecedence": 7}}
    assert api.patch(path, back).code == 200
    assert api.get(path).json["spec"]["matchingPrecedence"] == 7
    theirs = {"metadata": {"annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}}}
    assert api.patch(path, theirs).code == 200
    wait_until(
        lambda: api.get(path).json["spec"]["matchingPrecedence"] == 9000, "the suggested precedence"
    )


def test_a_schema_without_its_level_dangles(api: RawApi) -> None:
    name = f"lost-{uuid.uuid4().hex[:8]}"
    assert api.post(SCHEMAS, schema(name, "nobody", name)).code == 201

    def condition() -> Object:
        conditions = api.get(f"{SCHEMAS}/{name}").json["status"].get("conditions") or [{}]
        return dict(conditions[0])

    wait_until(lambda: condition().get("status") == "True", "a condition")
    assert condition()["reason"] == "NotFound"
    assert condition()["message"] == (
        f'This FlowSchema references the PriorityLevelConfiguration object named "{name}" but '
        "there is no such object"
    )
    assert api.post(LEVELS, queued(name)).code == 201
    wait_until(lambda: condition()["status"] == "False", "another condition")
    assert condition()["reason"] == "Found"
    for path in (SCHEMAS, LEVELS):
        assert api.delete(f"{path}/{name}").code == 200


def test_dumps(api: RawApi) -> None:
    for name, heading in (
        ("dump_priority_levels", "PriorityLevelName, ActiveQueues,"),
        ("dump_queues", "PriorityLevelName, Index,"),
        ("dump_requests", "PriorityLevelName, FlowSchemaName, QueueIndex,"),
    ):
        answer = api.get(f"{DUMPS}/{name}")
        assert answer.code == 200
        assert " ".join(answer.text.splitlines()[0].split()).startswith(heading)
    assert api.get(f"{DUMPS}/else").code == 404


async def test_metrics(api: RawApi, narrow_level: str, flooder: Caller) -> None:
    async with flooder.asking(SLOW, SEATS + QUEUE):
        await wait_for(api, narrow_level, ExecutingRequests=SEATS, WaitingRequests=QUEUE)
        assert (await flooder.call(SLOW))[0] == 429
        text = api.get("/metrics", "*/*").text
    flow = f'flow_schema="{narrow_level}",priority_level="{narrow_level}"'
    level = f'priority_level="{narrow_level}"'
    for line in (
        f"current_executing_requests{{{flow}}} {SEATS}.0",
        f"current_executing_seats{{{flow}}} {SEATS}.0",
        f"current_inqueue_requests{{{flow}}} {QUEUE}.0",
        f"current_limit_seats{{{level}}} {SEATS}.0",
        f"nominal_limit_seats{{{level}}} {SEATS}.0",
    ):
        assert f"\napiserver_flowcontrol_{line}\n" in text
    assert f'rejected_requests_total{{{flow},reason="queue-full"}} 1.0' in text
    assert f'request_wait_duration_seconds_count{{execute="true",{flow}}}' in text
    assert f'request_execution_seconds_count{{{flow},type="regular"}}' in text


def test_limits_without_priority_and_fairness(
    store: Any, tmp_path: Path, api: RawApi, namespace: str
) -> None:
    limits = {"max_requests_inflight": 1, "max_mutating_requests_inflight": 1}
    with (
        ThreadedApiServer(
            store.endpoint, tmp_path, enable_priority_and_fairness=False, **limits
        ) as server,
        raw_api(server) as admin,
    ):
        assert "X-Kubernetes-PF-FlowSchema-UID" not in admin.get("/api/v1/namespaces").headers
        asyncio.run(_one_of_two_is_turned_away(server))
        assert admin.get(f"{DUMPS}/dump_queues").code == 404


async def _one_of_two_is_turned_away(server: ThreadedApiServer) -> None:
    async with Caller(server, FLOODER) as caller:
        answers = await asyncio.gather(*(caller.call(SLOW) for _ in range(3)))
    assert sorted(status for status, _, _ in answers) == [429, 429, 504]
    assert {headers.get("Retry-After") for status, headers, _ in answers if status == 429} == {"1"}
