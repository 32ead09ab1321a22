"""EDGE: one file a gRPC service; validates, converts, maps errors. Knows grpc, no SQL."""
