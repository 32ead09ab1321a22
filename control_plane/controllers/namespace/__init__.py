"""Namespace deletion: remove all content, pods first, then let the namespace go.

`conditions.py` says what is reported (pure), `content.py` deletes, `controller.py` is the sequence.
"""
