"""The `tapir` command."""
