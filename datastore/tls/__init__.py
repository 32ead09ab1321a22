"""TLS of the client and HTTP listeners: options, files that rotate, and who may connect.

Nothing here imports gRPC: `__main__` has to fix the cipher suites before gRPC is loaded.
"""
