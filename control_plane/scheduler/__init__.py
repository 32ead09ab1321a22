"""Gives each pending pod a node: queue, framework, plugins."""
