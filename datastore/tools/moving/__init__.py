"""Moving a store in and out: `tapir import` and `tapir export`.

A `Source` (`record.py`) yields every live key as of one revision, in key order. An import writes
them through the `Backend` protocol (`target.py`), so into any database; an export puts them into an
etcd. Both then compare both sides, key by key (`comparison.py`).
"""
