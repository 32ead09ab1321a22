"""etcdctl check datascale: a load of its own, and the server's memory by its metrics."""

import pytest

from tests.contract.etcdctl.program import Etcdctl
from tests.contract.targets import REAL_ETCD, Launcher

pytestmark = [pytest.mark.any_backend, pytest.mark.seldom_judged]
# It reads /metrics where it puts: on ours gRPC's port has no HTTP unless it is told so.
HTTP_ON_THE_SAME_PORT = "--listen-client-http-urls={client-url}"


async def test_check_datascale(target: str, launcher: Launcher) -> None:
    server = launcher.start(target, [] if target == REAL_ETCD else [HTTP_ON_THE_SAME_PORT])
    try:
        etcdctl = Etcdctl(server.endpoint)
        options = ["--load=s", "--auto-compact", "--auto-defrag"]
        said = await etcdctl.run("check", "datascale", *options)
    finally:
        server.stop()

    assert "PASS: Approximate system memory used" in said
