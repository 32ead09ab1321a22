"""The image that pod sandboxes run: one static program that sleeps, made here.

A sandbox only keeps namespaces open, so its program needs no file but itself. No registry can be
assumed, so the kubelet writes the program as a minimal ELF file (header, one segment, some 30 to
70 bytes of code) and imports it into the engine once. The program ignores SIGCHLD, so that the
kernel reaps what is orphaned to it when a pod shares its process namespace, and then sleeps in a
system call for ever. It has no signal handlers: sandboxes are stopped with SIGKILL.

MACHINES is the table of machines it can be made for, by the engine's word for them. Called by
runtimes/docker_setup.py. Source: System V ABI for ELF; Linux system calls of x86-64 and arm64; Arm
A64 instruction set (move wide, B, SVC).
"""

from __future__ import annotations

import io
import struct
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAUSE_IMAGE = "tapir/pause:1"
PAUSE_PATH = "/pause"

_BASE = 0x400000
_PAGE_BYTES = 0x10000  # the largest page either machine has
_EHDR_BYTES, _PHDR_BYTES = 64, 56
_ACTION_OFFSET = _EHDR_BYTES + _PHDR_BYTES
_ACTION_BYTES = 32
_ENTRY_OFFSET = _ACTION_OFFSET + _ACTION_BYTES
_SIGCHLD, _SIG_IGN, _MASK_BYTES = 17, 1, 8


@dataclass(frozen=True, slots=True)
class Machine:
    """`elf` is the ELF header's e_machine; `code` takes the address of the signal action."""

    elf: int
    code: Callable[[int], bytes]


def pause_program(machine: Machine) -> bytes:
    """Return the ELF file for Linux on `machine`."""
    code = machine.code(_BASE + _ACTION_OFFSET)
    action = struct.pack("<QQQQ", _SIG_IGN, 0, 0, 0)
    size = _ENTRY_OFFSET + len(code)
    return _elf_header(machine.elf) + _program_header(size) + action + code


def pause_archive(machine: Machine) -> bytes:
    """Return a tar archive holding the program, to be imported as an image."""
    program = pause_program(machine)
    member = tarfile.TarInfo(PAUSE_PATH.lstrip("/"))
    member.size, member.mode = len(program), 0o755
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(member, io.BytesIO(program))
    return buffer.getvalue()


def _x86_64(action_address: int) -> bytes:
    """rt_sigaction(SIGCHLD, action, NULL, 8); for (;;) pause();"""
    return b"".join(
        (
            b"\xb8" + struct.pack("<I", 13),  # mov eax, rt_sigaction
            b"\xbf" + struct.pack("<I", _SIGCHLD),  # mov edi, SIGCHLD
            b"\xbe" + struct.pack("<I", action_address),  # mov esi, action
            b"\x31\xd2",  # xor edx, edx
            b"\x41\xba" + struct.pack("<I", _MASK_BYTES),  # mov r10d, 8
            b"\x0f\x05",  # syscall
            b"\xb8" + struct.pack("<I", 34),  # mov eax, pause
            b"\x0f\x05",  # syscall
            b"\xeb\xf7",  # jmp back to the mov
        )
    )


def _arm64(action_address: int) -> bytes:
    """rt_sigaction(SIGCHLD, action, NULL, 8); for (;;) ppoll(NULL, 0, NULL, NULL, 0);

    arm64 has no pause(2).
    """
    prepare = (
        _movz(0, _SIGCHLD),
        _movz(1, action_address & 0xFFFF),
        _movk_high(1, action_address >> 16),
        _movz(2, 0),
        _movz(3, _MASK_BYTES),
        _movz(8, 134),  # rt_sigaction
        _SVC,
    )
    sleep = (*(_movz(register, 0) for register in range(5)), _movz(8, 73), _SVC)
    back = 0x14000000 | (-len(sleep) & 0x3FFFFFF)  # b: as many instructions back
    words = (*prepare, *sleep, back)
    return struct.pack(f"<{len(words)}I", *words)


_SVC = 0xD4000001  # svc #0


def _movz(register: int, value: int) -> int:
    """movz x<register>, #<value>: sets all of it."""
    return 0xD2800000 | value << 5 | register


def _movk_high(register: int, value: int) -> int:
    """movk x<register>, #<value>, lsl #16: sets bits 16 to 31 only."""
    return 0xF2A00000 | value << 5 | register


MACHINES: Mapping[str, Machine] = {"amd64": Machine(62, _x86_64), "arm64": Machine(183, _arm64)}


def _elf_header(machine: int) -> bytes:
    ident = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)
    executable, version = 2, 1
    entry, program_headers = _BASE + _ENTRY_OFFSET, _EHDR_BYTES
    sizes = struct.pack("<HHHHHH", _EHDR_BYTES, _PHDR_BYTES, 1, 0, 0, 0)
    fields = struct.pack("<HHIQQQI", executable, machine, version, entry, program_headers, 0, 0)
    return ident + fields + sizes


def _program_header(size: int) -> bytes:
    load, read_execute = 1, 5
    return struct.pack("<IIQQQQQQ", load, read_execute, 0, _BASE, _BASE, size, size, _PAGE_BYTES)
