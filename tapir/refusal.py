"""Refusal: a flag, file, address or database that cannot be used, in one line with the remedy.

Each package raises its own `ConfigError` (or `StartError`) and none imports another's; here they
become one, for the command line to print.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(Exception):
    """The text is the line for the person who called."""


@contextmanager
def refusals_of(package: str) -> Iterator[None]:
    """Turn the errors of `package` that its caller can mend into Refusal."""
    config = importlib.import_module(f"{package}.config")
    names = ("ConfigError", "StartError")
    errors = tuple(getattr(config, name) for name in names if hasattr(config, name))
    try:
        yield
    except errors as error:
        raise Refusal(str(error)) from error
