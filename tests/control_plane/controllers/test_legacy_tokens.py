"""Tokens without an end that nobody uses: refused after a year, gone after two."""

import datetime
from typing import Any

import pytest

from control_plane.api.legacy_tokens import INVALID_SINCE, LAST_USED
from control_plane.api.objects import labels_of
from control_plane.api.resources import PODS, SECRETS, SERVICEACCOUNTS
from control_plane.client.clock import LoopClock
from control_plane.client.config import ClientConfig
from control_plane.client.events import EventRecorder
from control_plane.client.workqueue import WorkQueue
from control_plane.controllers.accounts import AccountClients
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.legacy_tokens import NAME, Fate, clean, fate
from tests.control_plane.controllers.stage import Stage

Object = dict[str, Any]
YEAR = datetime.timedelta(days=365)
LIMIT = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
ACCOUNT: Object = {"metadata": {"name": "robot"}, "secrets": [{"name": "token"}]}


def secret(created: str = "2025-01-01T00:00:00Z", **labels: str) -> Object:
    names = {"used": LAST_USED, "invalid": INVALID_SINCE}
    found = {names[key]: value for key, value in labels.items()}
    metadata = {"name": "token", "creationTimestamp": created, "labels": found}
    return {"metadata": metadata, "type": "kubernetes.io/service-account-token"}


@pytest.mark.parametrize(
    ("one", "becomes"),
    [
        (secret(), Fate.BECOMES_INVALID),
        (secret("2026-01-02T03:04:05Z"), Fate.STAYS),
        (secret(used="2026-01-02"), Fate.STAYS),
        (secret(used="2026-01-01"), Fate.BECOMES_INVALID),
        (secret(used="yesterday"), Fate.STAYS),
        (secret(used="2025-05-05", invalid="soon"), Fate.BECOMES_INVALID),
        (secret(invalid="2026-01-02"), Fate.STAYS),
        (secret(invalid="2026-01-01"), Fate.GOES),
        ({**secret(), "type": "Opaque"}, Fate.STAYS),
    ],
)
def test_a_token_lasts_as_long_as_it_is_used(one: Object, becomes: Fate) -> None:
    assert fate(one, ACCOUNT, (), LIMIT) is becomes


def test_what_somebody_has_made_or_mounts_stays() -> None:
    assert fate(secret(), None, (), LIMIT) is Fate.STAYS
    assert fate(secret(), {**ACCOUNT, "secrets": []}, (), LIMIT) is Fate.STAYS
    assert fate(secret(), ACCOUNT, {"token"}, LIMIT) is Fate.STAYS


class Ahead(LoopClock):
    """A clock that goes before."""

    ahead = datetime.timedelta()

    def now(self) -> datetime.datetime:
        return super().now() + self.ahead


async def test_the_token_of_a_secret_that_nobody_uses_is_refused_and_goes(stage: Stage) -> None:
    namespace = await stage.namespace("unused-tokens")

    def metadata(name: str) -> Object:
        return {"name": name, "namespace": namespace}

    referred = [{"name": "old"}, {"name": "mounted"}]
    account = {"metadata": metadata("robot"), "secrets": referred}
    made = await stage.client.create(SERVICEACCOUNTS, account)
    noted = {
        "kubernetes.io/service-account.name": "robot",
        "kubernetes.io/service-account.uid": made["metadata"]["uid"],
    }
    for name in ("old", "mounted", "manual"):
        body = {"metadata": {**metadata(name), "annotations": noted}, "type": secret()["type"]}
        await stage.client.create(SECRETS, body)
    volume = {"name": "v", "secret": {"secretName": "mounted"}}
    container = {"name": "c", "image": "i"}
    spec = {"containers": [container], "volumes": [volume], "serviceAccountName": "robot"}
    await stage.client.create(PODS, {"metadata": metadata("p"), "spec": spec})

    def labels(name: str) -> Object:
        return dict(labels_of(stage.get(SECRETS, f"{namespace}/{name}") or {"metadata": {}}))

    def is_filled(name: str) -> bool:
        return "token" in ((stage.get(SECRETS, f"{namespace}/{name}") or {}).get("data") or {})

    await stage.until(lambda: stage.get(SERVICEACCOUNTS, f"{namespace}/robot"), "the account")
    await stage.until(lambda: stage.get(PODS, f"{namespace}/p"), "the pod")
    await stage.until(lambda: all(map(is_filled, ("old", "mounted", "manual"))), "their tokens")
    clock = Ahead()
    config = ClientConfig.from_kubeconfig(stage.server.kubeconfig)
    async with AccountClients(stage.client, config, "test", separate=True) as clients:
        client = await clients.client(NAME)
        events = EventRecorder(client, NAME)
        cluster = Cluster(client, stage.informers, events, WorkQueue(), clock)
        clock.ahead = YEAR
        await clean(YEAR, cluster)  # uses have not been noted for a year yet
        clock.ahead = YEAR + datetime.timedelta(days=2)
        await clean(YEAR, cluster)
        marked = f"{clock.now():%Y-%m-%d}"
        await stage.until(lambda: labels("old").get(INVALID_SINCE) == marked, "the mark")
        clock.ahead = 2 * clock.ahead
        await clean(YEAR, cluster)
    await stage.until(lambda: stage.get(SECRETS, f"{namespace}/old") is None, "its end")
    assert not labels("mounted").get(INVALID_SINCE)
    assert not labels("manual").get(INVALID_SINCE)
    assert stage.get(SECRETS, f"{namespace}/mounted")
