"""The `tapir` command line and the all-in-one process; nothing else."""

import importlib.metadata

VERSION = importlib.metadata.version("tapir-kubernetes")
