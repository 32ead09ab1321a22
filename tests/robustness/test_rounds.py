"""A few rounds for each victim; `make robustness` runs fifty."""

import asyncio
import random

import pytest

from tests.robustness.rounds import Run
from tests.robustness.victims import VICTIMS

ROUNDS = {"server on sqlite": 2}  # one for the others


@pytest.mark.parametrize("name", VICTIMS)
async def test_nothing_that_was_acknowledged_is_lost(name: str) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    victim = await asyncio.to_thread(VICTIMS[name])
    tallies = []
    try:
        async with Run(victim, seed) as run:
            for _ in range(ROUNDS.get(name, 1)):
                tally = await run.round()
                assert tally.violations == [], f"seed {seed}"
                tallies.append(tally)
    finally:
        await asyncio.to_thread(victim.stop)

    assert sum(tally.verdict.acknowledged for tally in tallies) > 0
    assert sum(tally.verdict.reads for tally in tallies) > 0
