"""The file in the kernel's cache: when it is asked for, and that the kernel then has it."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datastore.backends.sqlite_readahead import (
    FIRST_PAUSE,
    WORTH_BYTES,
    Readahead,
    bytes_from_disk,
    memory_there,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux takes the advice")
SIZE = 8 << 20


class Machine:
    """What a look sees: bytes read from the disk, memory, the time; and what was advised."""

    def __init__(self, file: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = file
        self.read = 0
        self.memory = 1 << 40
        self.now = 100.0
        self.advised: list[int] = []
        self.looks = Readahead(
            read=lambda: self.read, memory=lambda: self.memory, clock=lambda: self.now
        )
        monkeypatch.setattr(os, "posix_fadvise", lambda _, at, __, ___: self.advised.append(at))
        self.looks.look(file)

    def turns(self, waited: int) -> int:
        """Let a second pass in which so much was read; return how often the file was begun."""
        self.advised.clear()
        self.now += 1
        self.read += waited
        self.looks.look(self.file)
        return self.advised.count(0)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A file on the disk."""
    path = tmp_path / "store.db"
    path.write_bytes(os.urandom(SIZE))
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def machine(file: int, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with much memory."""
    return Machine(file, monkeypatch)


def read_from_disk(file: int, what: Callable[[], object]) -> int:
    """How many bytes come from the disk for something, when nothing of the file is cached."""
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    before = bytes_from_disk()
    what()
    return bytes_from_disk() - before


def test_the_kernel_reads_the_file(file: int) -> None:
    reads = iter((0, WORTH_BYTES))
    readahead = Readahead(read=lambda: next(reads), memory=lambda: 1 << 40, clock=lambda: 0.0)
    if not read_from_disk(file, lambda: os.pread(file, SIZE, 0)):
        pytest.skip("what is read here is on no disk")
    readahead.look(file)

    assert read_from_disk(file, lambda: readahead.look(file)) > 0


def test_nothing_is_asked_for_while_reads_find_their_pages(machine: Machine) -> None:
    assert machine.turns(WORTH_BYTES - 1) == 0
    assert machine.turns(WORTH_BYTES) == 1


def test_a_file_that_memory_has_no_room_for_is_left_alone(machine: Machine) -> None:
    machine.memory = 2 * SIZE - 1

    assert machine.turns(WORTH_BYTES) == 0


def test_advice_that_does_not_help_becomes_seldom(machine: Machine) -> None:
    turns = [machine.turns(WORTH_BYTES) for _ in range(60)]

    first, second, third, *_ = [second for second, began in enumerate(turns) if began]

    assert FIRST_PAUSE <= second - first < third - second


def test_after_a_calm_time_it_is_given_at_once_again(machine: Machine) -> None:
    for _ in range(20):
        machine.turns(WORTH_BYTES)
    for _ in range(60):
        machine.turns(0)

    turns = [machine.turns(WORTH_BYTES) for _ in range(2 + int(FIRST_PAUSE))]

    assert turns[0] == 1
    assert sum(turns) == 2


def test_this_machine_can_be_asked() -> None:
    assert bytes_from_disk() >= 0
    assert memory_there() > 0
