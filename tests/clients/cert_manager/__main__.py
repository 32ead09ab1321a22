"""`make cert-manager`: cert-manager installed in a whole cluster, used, and removed again.

Its controller, webhook and cainjector are one program of ours, built once from cert-manager's
published Go module into build/go, which takes some minutes of CPU. Exit code 0 when every step
holds. What the parts logged lies in build/cert-manager.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.clients.cert_manager.module import CertManager
from tests.clients.cert_manager.stage import Stage
from tests.clients.cert_manager.steps import STEPS, Step
from tests.support.cluster import Cluster
from tests.support.go_program import REPOSITORY, go_program

SOURCE = Path(__file__).parent
LOGS = REPOSITORY / "build" / "cert-manager"


def main() -> int:
    """Go through all steps; 1 when one did not hold."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("--program", type=Path, help="the program, built already")
    given = parser.parse_args().program
    cert_manager = CertManager(SOURCE, given or go_program(SOURCE))
    with (
        tempfile.TemporaryDirectory() as directory,
        Cluster(Path(directory) / "data", [], runtime="simulated") as cluster,
        Stage(cluster, cert_manager, LOGS) as stage,
    ):
        failed = [step.says for step in STEPS if not _held(stage, step)]
    _say(f"{len(STEPS) - len(failed)} of {len(STEPS)} steps (logs: {LOGS.relative_to(REPOSITORY)})")
    return int(bool(failed))


def _held(stage: Stage, step: Step) -> bool:
    try:
        step.done(stage)
    except (AssertionError, LookupError, OSError, ValueError) as wrong:
        _say(f"not ok {step.says}: {type(wrong).__name__}: {str(wrong)[:2000]}")
        return False
    _say(f"ok {step.says}")
    return True


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
