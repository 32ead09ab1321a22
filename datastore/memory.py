"""How this process uses memory; each function is called once, at the start.

What a page of rows needs is kept for the next: glibc takes every block of 128 KiB or more fresh
from the kernel, which clears it, and gives it back at once, and a read of 500 keys spends half of
its time in that.

The garbage collector looks seldom: requests and rows are freed by their reference counts, and
passes over the whole heap took a seventh of the writer's time.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's names for what follows
_FROM_HEAP = 4 << 20  # blocks up to so many bytes come from the heap
_KEPT = 8 << 20  # bytes of free heap that are not given back
_COLLECT_AFTER = (50_000, 20, 100)  # new objects; younger collections before an older one


def keep_large_blocks() -> None:
    """Let large blocks come from the heap, and stay there; elsewhere than on glibc do nothing."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _FROM_HEAP)
        mallopt(_TRIM_THRESHOLD, _KEPT)


def collect_seldom() -> None:
    """Let the collector look seldom: before the start, a sixth of which it would take."""
    gc.set_threshold(*_COLLECT_AFTER)


def leave_out_start() -> None:
    """Leave what the start has made out of the collector's sight."""
    gc.collect()
    gc.freeze()
