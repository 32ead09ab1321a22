"""Refusal: a flag, file, address or database that cannot be used, in one line with the remedy.

Each package raises its own `ConfigError` (or `StartError`) and none imports another's; here they
become one, for the command line to print.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLIENT = "control_plane.client.config"


class Refusal(Exception):
    """The text is the line for the person who called."""


@contextmanager
def refusals_of(package: str) -> Iterator[None]:
    """Turn the errors of `package` that its caller can mend into Refusal."""
    importlib.import_module(f"{package}.config")
    try:
        yield
    except Exception as error:
        if not isinstance(error, _known_errors(package)):
            raise
        raise Refusal(str(error)) from error


def _known_errors(package: str) -> tuple[type[Exception], ...]:
    """The error classes of the package and of the API client, as far as they are loaded."""
    modules = [sys.modules.get(name) for name in (f"{package}.config", CLIENT)]
    return tuple(
        getattr(module, name)
        for module in modules
        for name in ("ConfigError", "StartError")
        if hasattr(module, name)
    )
