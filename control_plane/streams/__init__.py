"""How streams travel over HTTP connections that were upgraded: SPDY/3.1, and bytes as they are.

Used by the API server, which passes streams on, and by kubelets, which serve them. Nothing here
knows what a stream is for. Imports the standard library only.
"""
