"""The image that pod sandboxes run: one static program that sleeps, made here.

A sandbox only keeps namespaces open, so its program needs no file but itself. No registry can be
assumed, so the kubelet writes the program as a minimal ELF file (header, one segment, some 30
bytes of code) and imports it into the engine once. The program ignores SIGCHLD, so that the kernel
reaps what is orphaned to it when a pod shares its process namespace, and then waits in pause(2)
for ever. It has no signal handlers: sandboxes are stopped with SIGKILL.

Called by runtimes/docker.py. Source: System V ABI for ELF, Linux system call numbers of x86-64.
"""

from __future__ import annotations

import io
import struct
import tarfile

PAUSE_IMAGE = "tapir/pause:1"
PAUSE_PATH = "/pause"

_BASE = 0x400000
_EHDR_BYTES, _PHDR_BYTES = 64, 56
_ACTION_OFFSET = _EHDR_BYTES + _PHDR_BYTES
_ACTION_BYTES = 32
_ENTRY_OFFSET = _ACTION_OFFSET + _ACTION_BYTES
_SIGCHLD, _SIG_IGN = 17, 1


def pause_program() -> bytes:
    """Return the ELF file for x86-64 Linux."""
    code = _code(_BASE + _ACTION_OFFSET)
    action = struct.pack("<QQQQ", _SIG_IGN, 0, 0, 0)
    size = _ENTRY_OFFSET + len(code)
    return _elf_header() + _program_header(size) + action + code


def pause_archive() -> bytes:
    """Return a tar archive holding the program, to be imported as an image."""
    program = pause_program()
    member = tarfile.TarInfo(PAUSE_PATH.lstrip("/"))
    member.size, member.mode = len(program), 0o755
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(member, io.BytesIO(program))
    return buffer.getvalue()


def _code(action_address: int) -> bytes:
    """rt_sigaction(SIGCHLD, action, NULL, 8); for (;;) pause();"""
    return b"".join(
        (
            b"\xb8" + struct.pack("<I", 13),  # mov eax, rt_sigaction
            b"\xbf" + struct.pack("<I", _SIGCHLD),  # mov edi, SIGCHLD
            b"\xbe" + struct.pack("<I", action_address),  # mov esi, action
            b"\x31\xd2",  # xor edx, edx
            b"\x41\xba" + struct.pack("<I", 8),  # mov r10d, 8
            b"\x0f\x05",  # syscall
            b"\xb8" + struct.pack("<I", 34),  # mov eax, pause
            b"\x0f\x05",  # syscall
            b"\xeb\xf7",  # jmp back to the mov
        )
    )


def _elf_header() -> bytes:
    ident = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)
    executable, x86_64, version = 2, 62, 1
    entry, program_headers = _BASE + _ENTRY_OFFSET, _EHDR_BYTES
    sizes = struct.pack("<HHHHHH", _EHDR_BYTES, _PHDR_BYTES, 1, 0, 0, 0)
    fields = struct.pack("<HHIQQQI", executable, x86_64, version, entry, program_headers, 0, 0)
    return ident + fields + sizes


def _program_header(size: int) -> bytes:
    load, read_execute = 1, 5
    return struct.pack("<IIQQQQQQ", load, read_execute, 0, _BASE, _BASE, size, size, 0x1000)
