"""How this process asks the system for memory: what a page of rows needs is kept for the next.

glibc takes every block of 128 KiB or more fresh from the kernel, which clears it, and gives it
back at once: a read of 500 keys spends half of its time in that. Called once, at the start.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's names for what follows
_FROM_HEAP = 4 << 20  # blocks up to so many bytes come from the heap
_KEPT = 8 << 20  # bytes of free heap that are not given back


def keep_large_blocks() -> None:
    """Let large blocks come from the heap, and stay there; elsewhere than on glibc do nothing."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _FROM_HEAP)
        mallopt(_TRIM_THRESHOLD, _KEPT)
