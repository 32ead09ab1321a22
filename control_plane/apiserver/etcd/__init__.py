"""The API server's client of etcd v3: the only package here that speaks gRPC.

Public names: `client.EtcdClient`, `endpoints.EtcdEndpoints`, `watch.KeyWatch`, the plain types of
`model` and the errors of `errors`.
"""
