"""How the garbage collector sees this process; each function is called once, at the start.

What a request makes is freed by its reference counts. The collector would walk over the schemas of
all types, which stay for ever, again and again.
"""

import gc

_COLLECT_AFTER = (50_000, 20, 100)  # new objects; younger collections before an older one


def collect_seldom() -> None:
    """Let the collector look seldom."""
    gc.set_threshold(*_COLLECT_AFTER)


def leave_out_start() -> None:
    """Leave what the start has made out of the collector's sight."""
    gc.collect()
    gc.freeze()
