"""A bounded differential run: the same operations on a real etcd and on the target.

Against real etcd itself as target it proves the harness (`make contract`): nothing but meaning may
show. The long run is `python -m tests.contract.differential`.
"""

import asyncio
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.differential.__main__ import compare
from tests.contract.differential.generator import Generator, State
from tests.contract.differential.lockstep import Lockstep
from tests.contract.differential.side import Side
from tests.contract.targets import Launcher, Server
from tests.support.etcd import Etcd, etcd_binary

pytestmark = [pytest.mark.every_front, pytest.mark.seldom_judged]
SEED = 2026
SEEDED_OPERATIONS = 600
EXAMPLES, EXAMPLE_OPERATIONS = 12, 20


@pytest.fixture
def reference() -> Iterator[Server]:
    """A real etcd that survives unknown sort options."""
    if etcd_binary().version < (3, 6):
        pytest.skip(f"needs etcd 3.6 to compare with, this is {etcd_binary()}")
    with Etcd() as etcd:
        yield etcd


@pytest.fixture
def subject(target: str, launcher: Launcher) -> Iterator[Server]:
    """A server of the target on an empty store."""
    server = launcher.start(target)
    yield server
    server.stop()


async def test_seeded_operations_have_equal_answers(reference: Server, subject: Server) -> None:
    await compare(reference, subject, SEEDED_OPERATIONS, SEED)


async def run_example(reference: Server, subject: Server, state: State, random: Random) -> None:
    """Do a few operations from an empty key space, whatever the examples before have left."""
    sides = Side("etcd", reference.address), Side("ours", subject.address)
    for side in sides:
        await side.open()
    lockstep = Lockstep(*sides, state)
    await lockstep.reset()
    try:
        await lockstep.run(Generator(random, lockstep.state), EXAMPLE_OPERATIONS)
    finally:
        for side in sides:
            await side.close()


def test_short_stories_have_equal_answers(reference: Server, subject: Server) -> None:
    state = State()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def story(random: Random) -> None:
        asyncio.run(run_example(reference, subject, state, random))

    story()
