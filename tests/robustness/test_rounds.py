"""A round for the most telling victims; `make robustness` runs twenty for every one."""

import asyncio
import random

import pytest

from tests.robustness.rounds import Run
from tests.robustness.tally import Tally
from tests.robustness.victims import VICTIMS

# A frozen database is in test_database_away.py.
ROUNDS = {
    "server on sqlite": 1,
    "one of two on postgresql": 1,
    "one of three on mariadb": 1,
    "postgresql killed": 1,
}


@pytest.mark.parametrize("name", ROUNDS)
async def test_nothing_that_was_acknowledged_is_lost(name: str) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    victim = await asyncio.to_thread(VICTIMS[name])
    tallies: list[Tally] = []
    try:
        async with Run(victim, seed) as run:
            for _ in range(ROUNDS[name]):
                tally = await run.round()
                assert tally.violations == [], f"seed {seed}"
                tallies.append(tally)
    finally:
        await asyncio.to_thread(victim.stop)

    assert busy(tallies)


def busy(tallies: list[Tally]) -> bool:
    """Whether something was acknowledged, and something read."""
    verdicts = [tally.verdict for tally in tallies]
    return any(each.acknowledged for each in verdicts) and any(each.reads for each in verdicts)
