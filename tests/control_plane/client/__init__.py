"""Tests of the API client and what is built on it."""
