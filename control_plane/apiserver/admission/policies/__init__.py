"""Admission policies: which ones a write meets, with which params, and what they decide.

What they say is compiled in control_plane.api.policies when their objects change (registered.py);
validating.py is the plugin, mutating.py what changes objects beside the webhooks that do.
"""
