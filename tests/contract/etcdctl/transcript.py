"""A session of etcdctl as a text: commands, what is typed into them, and what they print.

    $ put a 1           a command; {member}, {lease} and the like stand for what is not the same
    < typed             a line of its standard input
    OK                  what it prints, stderr after stdout, without log lines
    [1]                 its exit code, if that is not 0

`play` runs the commands and returns the text anew with what they print now, so that two servers
give the same text if their users can tell no difference. `python -m
tests.contract.etcdctl.transcript FILE` records the file again from a real etcd.
"""

import asyncio
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.contract.etcdctl.program import Etcdctl
from tests.support.etcd import Etcd

LOG_LINE = re.compile(r'^\{"level":.*\n?', re.MULTILINE)
NOT_THE_SAME = (
    (re.compile(r"remaining\(\d+s\)"), "remaining({time})"),
    (re.compile(r"took = [0-9.]+[mµn]?s"), "took = {time}"),
    (re.compile(r'"(ClusterID|MemberID)" : \d+'), r'"\1" : {number}'),
    (re.compile(r"Member +{member} updated"), "Member {member} updated"),  # padded to 16 digits
    (re.compile(r"updated in cluster +[0-9a-f]+"), "updated in cluster {cluster}"),
    (re.compile(r", started, \S+, \S+, "), ", started, {name}, {peer}, "),
)
GRANTED = re.compile(r"lease ([0-9a-f]{16}) granted")


@dataclass
class Step:
    """One command: its line in the text, and the lines typed into it."""

    line: str
    typed: list[str] = field(default_factory=list)


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of a text."""
    step: Step | None = None
    for line in text.splitlines():
        if line.startswith("$ "):
            if step:
                yield step
            step = Step(line.removeprefix("$ "))
        elif line.startswith("<") and step:
            step.typed.append(line.removeprefix("<").removeprefix(" "))
    if step:
        yield step


async def play(etcdctl: Etcdctl, text: str) -> str:
    """Run a text's commands and return the text of now."""
    names = {"endpoint": etcdctl.endpoint}
    names["member"] = (await etcdctl.run("member", "list")).partition(",")[0]
    shown = []
    for step in steps(text):
        argv = [_filled(word, names) for word in shlex.split(step.line)]
        typed = "".join(f"{_filled(line, names)}\n" for line in step.typed)
        code, printed = await etcdctl.outcome(*argv, stdin=typed)
        granted = GRANTED.search(printed)
        if granted:
            names["lease"] = granted[1]
        shown += [f"$ {step.line}", *(f"< {line}".rstrip() for line in step.typed)]
        shown += _settled(printed, names).splitlines()
        shown += [f"[{code}]"] if code else []
    return "\n".join(shown) + "\n"


def _filled(word: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _settled(printed: str, names: dict[str, str]) -> str:
    """Put names for what differs between servers of the same meaning."""
    printed = LOG_LINE.sub("", printed)
    for name, value in names.items():
        printed = printed.replace(value, f"{{{name}}}")
    for pattern, name in NOT_THE_SAME:
        printed = pattern.sub(name, printed)
    return printed


def main(path: Path) -> None:
    """Record a file."""
    with Etcd() as etcd:
        path.write_text(asyncio.run(play(Etcdctl(etcd.endpoint), path.read_text())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
