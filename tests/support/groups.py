"""Which tests follow one another in one of pytest's workers; `make pytest` has several of these.

A file's tests do, so that what its module shares is made once. Larger groups are listed here: tests
that share a server for the whole session, which each worker would start for itself, and all that
run containers. The large groups go first and long files after them, so that no worker is left with
one at the end.
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
# Files that take half a minute or more, most of it waiting.
LONG_FILES = (
    "tests/availability/test_rounds.py",
    "tests/control_plane/scheduler/test_scheduling.py",
    "tests/datastore/test_galera.py",
    "tests/datastore/test_shared_faults.py",
    "tests/datastore/test_tls.py",
    "tests/robustness/test_rounds.py",
    "tests/test_migrate_page.py",
)


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
    if not group.endswith(".py"):
        return 1
    return 2 if group in LONG_FILES else 3


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a worker a whole group at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
