"""The benchmark behind `make bench`: `python -m tests.bench`. Not collected as tests."""
