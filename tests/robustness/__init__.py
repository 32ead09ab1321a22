"""What survives `kill -9`: rounds of load and murder, and a judge of what everybody was told.

`python -m tests.robustness` runs as many rounds as wanted; `test_rounds.py` a few in CI.
"""
