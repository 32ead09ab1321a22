"""How two objects differ, as upstream's messages tell it: a unified difference of their lines.

The lines are those of the internal form. Pure. Source: the API machinery's diff package, v1.35.
"""

from __future__ import annotations

import difflib
import itertools
from typing import TYPE_CHECKING, Final

from control_plane.api.go_syntax import to_json
from control_plane.api.internal_form import internal_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from control_plane.api.objects import Object

MOST_LINES: Final = 1000

_CONTEXT: Final = 3  # lines around those that differ
_Opcode = tuple[str, int, int, int, int]


def difference(struct: str, old: Object | None, new: Object | None) -> str:
    """Return how two objects differ as upstream tells it: hunks of their lines, "" for none.

    Of an object with more than MOST_LINES it is one hunk, from the first line that differs to the
    last, with at most so many lines of each: to find the shortest takes the square of their number.
    """
    before, after = (
        to_json(internal_form(struct, value), indent=1).split("\n") for value in (old, new)
    )
    hunks = (_hunk(group, before, after) for group in _groups(before, after))
    return "".join(f"{line}\n" for hunk in hunks for line in hunk)


def _groups(before: list[str], after: list[str]) -> Iterable[Sequence[_Opcode]]:
    if max(len(before), len(after)) <= MOST_LINES:
        return difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(_CONTEXT)
    if before == after:
        return ()
    head = _common(zip(before, after, strict=False))
    tail = _common(zip(reversed(before[head:]), reversed(after[head:]), strict=False))
    first, (last, end) = max(head - _CONTEXT, 0), (len(before) - tail, len(after) - tail)
    more = min(tail, _CONTEXT)
    return (
        [
            ("equal", first, head, first, head),
            ("replace", head, last, head, end),
            ("equal", last, last + more, end, end + more),
        ],
    )


def _common(pairs: Iterable[tuple[str, str]]) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _hunk(group: Sequence[_Opcode], before: list[str], after: list[str]) -> Iterator[str]:
    (_, first, _, start, _), (_, _, last, _, end) = group[0], group[-1]
    yield f"@@ -{_range(first, last)} +{_range(start, end)} @@"
    for kind, i1, i2, j1, j2 in group:
        if kind == "equal":
            yield from (f" {line}" for line in before[i1:i2])
        else:
            yield from (f"-{line}" for line in before[i1 : min(i2, i1 + MOST_LINES)])
            yield from (f"+{line}" for line in after[j1 : min(j2, j1 + MOST_LINES)])


def _range(start: int, stop: int) -> str:
    """Return the place of lines as the header of a hunk has it."""
    length = stop - start
    return f"{start + 1}" if length == 1 else f"{start + bool(length)},{length}"
