"""Values of command-line flags as upstream's components write them."""

import argparse


def boolean(text: str) -> bool:
    """Read `true` or `false`, as in --leader-elect=false."""
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r}: give true or false")
    return text == "true"
