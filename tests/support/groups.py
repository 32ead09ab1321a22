"""Which tests follow one another in one of pytest's workers; `make pytest` has several of these.

A file's tests do, so that what its module shares is made once. Larger groups are listed here: tests
that share a server for the whole session, which each worker would start for itself, and all that
run containers. The large groups go first, so that no worker is left with one at the end.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling

# Directory: the parameter that chooses the server its tests share. The first that fits decides.
SHARED_SERVERS = {
    "tests/contract/auth": "target",
    "tests/contract/http": "target",
    "tests/contract": "target",
    "tests/control_plane/apiserver": "store",
}
# One kubelet at a time: Docker Engines before 23 hang when two containers join networks at once,
# and two engines on one machine would give the same addresses.
CONTAINERS = ("tests/e2e", "tests/node")
WITH_CONTAINERS = "containers"


def group_of(file: str, parameters: Mapping[str, Any]) -> str:
    """The large group of a test, "" if there is none but its file.

    `file` is relative to the repository, `parameters` are those of the test's callspec.
    """
    if _is_in(file, CONTAINERS):
        return WITH_CONTAINERS
    directory = next((one for one in SHARED_SERVERS if _is_in(file, (one,))), "")
    server = parameters.get(SHARED_SERVERS.get(directory, ""), "")
    return f"{directory.removeprefix('tests/')}/{server}" if server else ""


def _is_in(file: str, directories: tuple[str, ...]) -> bool:
    return any(PurePath(file).is_relative_to(directory) for directory in directories)


def put_in_group(item: pytest.Item) -> None:
    """Mark a test that was just collected with its large group, if it has one."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if group := group_of(item.nodeid.split("::")[0], parameters):
        item.add_marker(pytest.mark.xdist_group(group))


def put_large_groups_first(items: list[pytest.Item]) -> None:
    """Move the tests of large groups to the front; the longest is the first."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    marker = item.get_closest_marker("xdist_group")
    if marker is None:
        return 2
    return 0 if marker.args == (WITH_CONTAINERS,) else 1


class GroupsAndFiles(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a worker a whole group at a time, or a whole file of tests that are in none."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return scope.split("::")[0]
