"""EDGE: one file per gRPC service; validates, converts and maps errors. Knows grpc, knows no SQL."""
