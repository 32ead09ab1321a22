"""The sandbox program: that it runs here, and that its other machines' files are well formed."""

import io
import platform
import signal
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest

from node.kubelet.runtimes.pause_image import MACHINES, pause_archive, pause_program

HERE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "")
ELF_MACHINES = {"amd64": 62, "arm64": 183}
ENTRY = 0x400000 + 64 + 56 + 32  # behind both headers and the signal action


def test_every_machine_is_tested() -> None:
    assert set(MACHINES) == set(ELF_MACHINES)


@pytest.mark.parametrize("name", MACHINES)
def test_the_headers_describe_the_file(name: str) -> None:
    program = pause_program(MACHINES[name])
    assert program[:16] == b"\x7fELF\x02\x01\x01" + bytes(9)  # 64 bits, little endian, System V
    header = struct.unpack_from("<HHIQQQIHHH", program, 16)
    assert header == (2, ELF_MACHINES[name], 1, ENTRY, 64, 0, 0, 64, 56, 1)
    kind, flags, offset, virtual, _, in_file, in_memory, align = struct.unpack_from(
        "<IIQQQQQQ", program, 64
    )
    assert (kind, flags, offset, virtual) == (1, 5, 0, 0x400000)
    assert in_file == in_memory == len(program)
    assert align == 0x10000
    assert virtual % align == offset % align
    assert struct.unpack_from("<QQQQ", program, 120) == (1, 0, 0, 0)  # SIG_IGN, nothing else


def test_the_instructions_for_arm64() -> None:
    program = pause_program(MACHINES["arm64"])[152:]
    assert [f"{word:08x}" for (word,) in struct.iter_unpack("<I", program)] == [
        "d2800220",  # mov x0, #17             SIGCHLD
        "d2800f01",  # mov x1, #0x78
        "f2a00801",  # movk x1, #0x40, lsl #16 the action, at 0x400078
        "d2800002",  # mov x2, #0
        "d2800103",  # mov x3, #8
        "d28010c8",  # mov x8, #134            rt_sigaction
        "d4000001",  # svc #0
        "d2800000",  # mov x0, #0
        "d2800001",  # mov x1, #0
        "d2800002",  # mov x2, #0
        "d2800003",  # mov x3, #0
        "d2800004",  # mov x4, #0
        "d2800928",  # mov x8, #73             ppoll
        "d4000001",  # svc #0
        "17fffff9",  # b, seven back
    ]


def test_the_archive_holds_the_program_alone() -> None:
    for machine in MACHINES.values():
        with tarfile.open(fileobj=io.BytesIO(pause_archive(machine))) as archive:
            (member,) = archive.getmembers()
            content = archive.extractfile(member)
            assert (member.name, member.mode) == ("pause", 0o755)
            assert content is not None
            assert content.read() == pause_program(machine)


@pytest.mark.skipif(not HERE, reason="no pause program for this machine")
def test_it_sleeps_ignoring_children_until_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "pause"
    path.write_bytes(pause_program(MACHINES[HERE]))
    path.chmod(0o755)
    with subprocess.Popen([path]) as process:
        while not _ignores(process.pid, signal.SIGCHLD) or _state(process.pid) != "S":
            assert process.poll() is None
        process.kill()
        assert process.wait() == -signal.SIGKILL


def _field(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def _ignores(pid: int, number: signal.Signals) -> bool:
    return bool(int(_field(pid, "SigIgn"), 16) >> (number - 1) & 1)


def _state(pid: int) -> str:
    return _field(pid, "State")
