"""Values of command-line flags as upstream's components write them."""

import argparse
import math

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def boolean(text: str) -> bool:
    """Read `true` or `false`, as in --leader-elect=false."""
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r}: give true or false")
    return text == "true"


def seconds(text: str) -> float:
    """Parse a duration such as "50s", "1m30s" or "500ms"; a bare number is seconds."""
    try:
        return float(text)
    except ValueError:
        return _sum_of_parts(text)


def whole_seconds(duration: float) -> int:
    """The duration without its fraction; -1 for one that has no end or is no number."""
    return int(duration) if math.isfinite(duration) else -1


def _sum_of_parts(text: str) -> float:
    total, rest = 0.0, text
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number) :]
        unit = next((unit for unit in _UNITS if rest.startswith(unit)), "")
        if not number or not unit:
            raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 50s or 1m30s")
        total += float(number) * _UNITS[unit]
        rest = rest[len(unit) :]
    return total
