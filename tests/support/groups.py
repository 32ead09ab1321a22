"""Which tests follow one another in one of pytest's workers; `make pytest` has several of these.

A file's tests do, so that what its module shares is made once. Larger groups are listed here: tests
that share a server for the whole session, which each worker would start for itself, and all that
run containers. The large groups go first, so that no worker is left with one at the end.
"""

import functools

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.contract.targets import TARGETS

# Directory: what the servers are called that its tests share. A test's id begins with its server.
# The first directory that fits decides.
SHARED_SERVERS = {
    "tests/contract/auth": TARGETS,
    "tests/contract/http": TARGETS,
    "tests/contract": TARGETS,
    "tests/control_plane/apiserver": ["etcd", "sqlite", "postgresql"],
}
# One kubelet at a time: Docker Engines before 23 hang when two containers join networks at once,
# and two engines on one machine would give the same addresses.
CONTAINERS = ("tests/e2e", "tests/node")
WITH_CONTAINERS = "containers"


@functools.cache  # xdist asks for it at each test's end, and the order of the groups before
def group_of(test: str) -> str:
    """The group of a test: that of its server, or its file.

    `test` is its node id, such as "tests/contract/test_put.py::test_lease[real-etcd-0]".
    """
    file, _, rest = test.partition("::")
    if _is_in(file, CONTAINERS):
        return WITH_CONTAINERS
    words = f"{rest.partition('[')[2].rstrip(']')}-"
    directory = next((one for one in SHARED_SERVERS if _is_in(file, (one,))), "")
    for server in SHARED_SERVERS.get(directory, ()):
        if words.startswith(f"{server}-"):
            return f"{directory} of {server}"
    return file


def _is_in(file: str, directories: tuple[str, ...]) -> bool:
    return any(file.startswith(f"{directory}/") for directory in directories)


def put_large_groups_first(items: list[pytest.Item]) -> None:
    """Move the tests of large groups to the front; the longest is the first."""
    items.sort(key=lambda item: _rank(group_of(item.nodeid)))


def _rank(group: str) -> int:
    if group == WITH_CONTAINERS:
        return 0
    return 2 if group.endswith(".py") else 1


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a worker a whole group at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
