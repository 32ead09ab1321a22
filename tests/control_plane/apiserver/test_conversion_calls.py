"""Conversion webhooks are called over connections that are kept."""

from pathlib import Path
from typing import Any, cast

import orjson

from control_plane.apiserver.custom_resources.webhook_calls import ConversionCaller
from control_plane.apiserver.service_endpoints import ServiceEndpoints
from tests.control_plane.apiserver.webhook_peer import WebhookPeer


async def test_calls_one_after_the_other_take_one_connection(tmp_path: Path) -> None:
    with WebhookPeer(tmp_path) as peer:
        peer.answers["/convert"] = lambda review: {"kept": review["request"]["uid"]}
        no_services = ServiceEndpoints(cast("Any", None))  # none is named here
        caller = ConversionCaller(no_services)
        try:
            for uid in ("a", "b", "c"):
                body = orjson.dumps({"request": {"uid": uid}})
                answer = orjson.loads(await caller.call(peer.client("/convert"), body))
                assert answer["response"]["kept"] == uid
        finally:
            await caller.close()
        assert peer.connections == 1
