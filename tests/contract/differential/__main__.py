"""The long differential run: `python -m tests.contract.differential --operations 100000 --seed
1`.
"""

import argparse
import asyncio
import random
import sys
import time

from tests.contract.differential.generator import Generator, State
from tests.contract.differential.lockstep import Difference, Lockstep
from tests.contract.differential.side import Side
from tests.contract.targets import TARGETS, Launcher, Server
from tests.support.etcd import Etcd


async def compare(reference: Server, subject: Server, operations: int, seed: int) -> None:
    """Do the operations of a seed on both servers; raise Difference where they disagree."""
    sides = Side("etcd", reference.address), Side("ours", subject.address)
    for side in sides:
        await side.open()
    lockstep = Lockstep(*sides, State())
    try:
        await lockstep.run(Generator(random.Random(seed), lockstep.state), operations)
    finally:
        for side in sides:
            await side.close()


def main() -> int:
    """Run, print the outcome, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=TARGETS, default=TARGETS[0])
    arguments = parser.parse_args()
    launcher = Launcher()
    reference, subject = Etcd(), launcher.start(arguments.target)
    started = time.monotonic()
    try:
        asyncio.run(compare(reference, subject, arguments.operations, arguments.seed))
        elapsed = time.monotonic() - started
        _say(f"no difference in {arguments.operations} operations, {elapsed:.0f} s")
    except Difference as difference:
        _say(f"seed {arguments.seed}: {difference}")
        return 1
    finally:
        subject.stop()
        reference.stop()
        launcher.stop()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
