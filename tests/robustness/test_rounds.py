"""A few rounds for each victim; `make robustness` runs fifty."""

import asyncio
import random

import pytest

from tests.robustness.rounds import Run
from tests.robustness.victims import VICTIMS

# A frozen database is in test_database_away.py.
ROUNDS = {
    "server on sqlite": 2,
    "server on postgresql": 1,
    "postgresql killed": 1,
    "postgresql stopped": 1,
}


@pytest.mark.parametrize("name", ROUNDS)
async def test_nothing_that_was_acknowledged_is_lost(name: str) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    victim = await asyncio.to_thread(VICTIMS[name])
    tallies = []
    try:
        async with Run(victim, seed) as run:
            for _ in range(ROUNDS[name]):
                tally = await run.round()
                assert tally.violations == [], f"seed {seed}"
                tallies.append(tally)
    finally:
        await asyncio.to_thread(victim.stop)

    assert sum(tally.verdict.acknowledged for tally in tallies) > 0
    assert sum(tally.verdict.reads for tally in tallies) > 0
