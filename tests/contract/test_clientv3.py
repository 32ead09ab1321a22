"""etcd's own Go client library at work: locks, elections, transactions, caches, mirrors.

Each scenario of tests/clients/clientv3 ends with 0 when all went as on etcd.
"""

import asyncio
from pathlib import Path

import pytest

from tests.contract.client import Client
from tests.contract.targets import Server
from tests.support.go_program import go_program

pytestmark = pytest.mark.every_front
SOURCE = Path(__file__).parents[1] / "clients" / "clientv3"
SCENARIOS = (
    "mutex",
    "election",
    "stm",
    "leasing",
    "mirror",
    "namespace",
    "kubernetes",
    "keepalive",
    "watch",
    "maintenance",
)


@pytest.fixture(scope="session")
def clientv3() -> Path:
    """The built program."""
    return go_program(SOURCE)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_scenario(server: Server, etcd: Client, clientv3: Path, scenario: str) -> None:
    endpoint, prefix = f"http://{server.address}", etcd.key(f"{scenario}/").decode()

    process = await asyncio.create_subprocess_exec(
        clientv3, endpoint, prefix, scenario, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()

    assert process.returncode == 0, said.decode()
