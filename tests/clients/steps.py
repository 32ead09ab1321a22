"""Steps of a command-line client, one after another, and what was wrong with each."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SECONDS = 240


class Step(NamedTuple):
    """One call: its words, a text in what it prints, its exit code, and its standard input.

    The words are separated by one space each; those after " -- " are passed on by the client.
    """

    words: str
    says: str = ""
    code: int = 0
    stdin: str = ""

    def filled(self, **places: str) -> "Step":
        """Return the step with what each place, as {ns}, stands for."""
        words, says, stdin = self.words, self.says, self.stdin
        for place, text in places.items():
            words, says, stdin = (
                part.replace(f"{{{place}}}", text) for part in (words, says, stdin)
            )
        return Step(words, says, self.code, stdin)


def objection(command: Sequence[str], environment: Mapping[str, str], step: Step) -> str:
    """Return "" when the step ended as it should, else what it was and what it said."""
    words, dashes, rest = step.words.partition(" -- ")
    done = subprocess.run(
        [*command, *words.split(), *(["--", *rest.split(" ")] if dashes else [])],
        input=step.stdin, env=dict(environment), text=True, timeout=SECONDS, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if (done.returncode, step.says in done.stdout) == (step.code, True):
        return ""
    return f"{step.words}: {done.returncode}, {done.stdout.strip()[-500:]}"
