"""Helm against a whole cluster: charts installed, changed, rolled back, tested and uninstalled."""
