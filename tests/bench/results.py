"""What has been measured so far, one JSON file for each part in build/bench.

A run of some parts replaces their files only; the report is made of all that are there.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.machine import REPOSITORY

RESULTS = REPOSITORY / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Result:
    """A part's figures with how they came about: the machine's state at their start, the command.

    `figures` are the part's own and plain JSON.
    """

    part: str
    variant: str
    command: str
    machine: list[str]
    figures: Any

    @property
    def name(self) -> str:
        """The name of its file."""
        return "-".join(filter(None, (self.part, self.variant)))


def keep(result: Result) -> None:
    """Write a result; the one before of the same name is gone."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{result.name}.json").write_text(json.dumps(asdict(result), indent=1))


def kept() -> dict[str, Result]:
    """Read all results, by name."""
    found = [Result(**json.loads(path.read_text())) for path in sorted(RESULTS.glob("*.json"))]
    return {result.name: result for result in found}
