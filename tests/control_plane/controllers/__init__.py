"""Tests of the controllers: plans as tables, the whole against a real API server."""
