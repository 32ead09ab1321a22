"""Container runtimes: RUNTIMES is the table, one row a name of --container-runtime.

`auto` is not a runtime: it is docker where an engine answers and simulated elsewhere (see
open_runtime in choice.py).
"""

from __future__ import annotations

RUNTIME_CHOICES = ("auto", "docker", "simulated")
