"""Clients that act as service accounts, against a real API server."""

import datetime
from pathlib import Path

import jwt
import pytest

from control_plane.api.errors import Forbidden
from control_plane.api.resources import NODES, SELFSUBJECTREVIEWS, SERVICEACCOUNTS
from control_plane.client.account_token import AccountToken
from control_plane.client.client import ApiClient
from control_plane.client.clock import LOOP_CLOCK
from control_plane.client.config import ClientConfig
from tests.support.apiserver import ApiServer
from tests.support.datastore import Datastore


class LaterClock:
    """The time of day, and some."""

    def __init__(self) -> None:
        self.ahead = datetime.timedelta()

    def now(self) -> datetime.datetime:
        return LOOP_CLOCK.now() + self.ahead


async def test_tokens_are_asked_for_renewed_and_replaced(tmp_path: Path) -> None:
    with Datastore() as store:
        async with ApiServer(store.endpoint, tmp_path) as server:
            config = ClientConfig.from_kubeconfig(server.kubeconfig)
            clock = LaterClock()
            async with ApiClient(config) as admin:
                source = AccountToken(admin, "kube-system", "robot", clock=clock)  # type: ignore[arg-type]
                plain = ClientConfig(config.server, config.ca_pem)
                async with ApiClient(plain, token=source) as robot:
                    answer = await robot.create(SELFSUBJECTREVIEWS, {})
                    name = answer["status"]["userInfo"]["username"]
                    assert name == "system:serviceaccount:kube-system:robot"
                    with pytest.raises(Forbidden):
                        await robot.list(NODES)
                    first = await source.get()
                    assert await source.get() == first
                    clock.ahead = datetime.timedelta(minutes=50)
                    second = await source.get()
                    assert second != first
                    assert "exp" in jwt.decode(second, options={"verify_signature": False})
                    # a new account of that name does not believe the old one's tokens
                    await admin.delete(SERVICEACCOUNTS, "robot", "kube-system")
                    clock.ahead = datetime.timedelta()
                    answer = await robot.create(SELFSUBJECTREVIEWS, {})
                    assert answer["status"]["userInfo"]["username"] == name
