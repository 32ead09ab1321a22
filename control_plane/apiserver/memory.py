"""How this process uses memory; each function is called once, at the start.

What a request makes is freed by its reference counts. The collector would walk over the schemas of
all types, which stay for ever, again and again.

A compressed list may take tens of megabytes, for a moment: glibc learns from the first that such
blocks are to come from the heap, where what is small then keeps the room of what was large. The
pieces of other lists are kept for the next: the kernel clears every page that it gives.
"""

import ctypes
import gc
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's names for what follows
_FROM_HEAP = 4 << 20  # blocks up to so many bytes come from the heap, larger ones are given back
_KEPT = 8 << 20  # bytes of free heap that are not given back
_COLLECT_AFTER = (50_000, 20, 100)  # new objects; younger collections before an older one


def give_back_large_blocks() -> None:
    """Let large blocks be given back, and small ones kept; elsewhere than on glibc do nothing."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _FROM_HEAP)
        mallopt(_TRIM_THRESHOLD, _KEPT)


def collect_seldom() -> None:
    """Let the collector look seldom."""
    gc.set_threshold(*_COLLECT_AFTER)


def leave_out_start() -> None:
    """Leave what the start has made out of the collector's sight."""
    gc.collect()
    gc.freeze()
