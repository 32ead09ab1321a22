"""Admission policies: compiled from their objects, and evaluated on a request. Pure.

compiled.py makes a Policy of a ValidatingAdmissionPolicy, evaluation.py decides with it;
mutating.py makes one of a MutatingAdmissionPolicy, mutation.py changes objects with it;
conditions.py does so with match conditions (of webhooks too), mistakes.py says what is wrong with
the expressions of an object. The API server's admission plugins do the rest.
"""
