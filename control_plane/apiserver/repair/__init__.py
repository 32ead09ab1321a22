"""Repair of allocations: what a crash, a hand or another server left wrong between services, their
IPAddress objects and the set of node ports.

Deciding is pure (`addresses`, `ports`), acting is `repairs.Repairs`. Every server repairs: each act
is conditional on what was judged, so that two of them do no more than one.
"""
