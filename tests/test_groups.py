"""Which tests a worker of pytest takes together."""

from pathlib import Path

import pytest

from tests.support.groups import LONG_FILES, group_of

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/node/test_a.py::test_b[docker]", "containers"),
        ("tests/contract/test_a.py::test_b[real-etcd]", "tests/contract of real-etcd"),
        ("tests/contract/etcdctl/test_a.py::test_b[real-etcd-c]", "tests/contract of real-etcd"),
        ("tests/contract/http/test_a.py::test_b[real-etcd]", "tests/contract/http of real-etcd"),
        ("tests/contract/test_a.py::test_b[more]", "tests/contract/test_a.py"),
        ("tests/datastore/test_a.py::TestB::test_c[real-etcd]", "tests/datastore/test_a.py"),
        ("tests/datastore/test_a.py::test_b", "tests/datastore/test_a.py"),
    ],
)
def test_a_group_is_a_server_or_a_file(test: str, group: str) -> None:
    assert group_of(test) == group


@pytest.mark.parametrize("file", LONG_FILES)
def test_a_long_file_is_there(file: str) -> None:
    assert (REPOSITORY / file).exists()
