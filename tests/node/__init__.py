"""The node: pure decisions as tables, runtimes by contract, whole pods in containers."""
