"""Tests of the pure API package."""
