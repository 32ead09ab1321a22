"""The `tapir` command line and the all-in-one process."""
