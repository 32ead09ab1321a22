"""Runs the pods bound to this node and reports what became of them."""
