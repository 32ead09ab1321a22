"""Which stores a test is asked of: one that a store has no say in is asked of one store alone.

Our SQLite store is asked everything, the others what is marked `every_store`: revisions, lists and
watches, what lies in the store, and its absence. `--every-target` asks all of them everything.
"""

from pathlib import Path

import pytest

FIRST = "sqlite"
MARKER = "every_store: a store can answer it wrongly; asked of every store, not of SQLite alone"


def leave_out_others(
    items: list[pytest.Item], home: Path, *parameters: str, first: str = FIRST, seldom: str = ""
) -> None:
    """Deselect what no store but the first is asked of; tests below `home` name their store in one
    of `parameters`. A `seldom` store is asked nothing.
    """
    if not items or items[0].config.getoption("every_target"):
        return
    left_out = [
        item
        for item in items
        if home in item.path.parents and _is_too_much(item, parameters, first, seldom)
    ]
    if left_out:
        left_out[0].config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def _is_too_much(item: pytest.Item, parameters: tuple[str, ...], first: str, seldom: str) -> bool:
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return False
    named = {callspec.params.get(name, first) for name in parameters} - {first}
    if seldom in named:
        return True
    return bool(named) and item.get_closest_marker("every_store") is None
