"""The same random operations on a real etcd and on ours: every field of every answer must agree.

generator.py makes operations, side.py does them on one server, normal.py removes what may
differ, lockstep.py compares. `python -m tests.contract.differential --operations 100000 --seed
1` is the long run; test_differential.py a short one.
"""
