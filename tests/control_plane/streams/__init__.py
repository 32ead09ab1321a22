"""Tests of streams over upgraded connections."""
