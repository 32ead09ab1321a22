"""Aggregation: group versions that other servers serve, behind services of the cluster.

    remote       one such APIService, compiled when it changes; RemoteApis are all of them
    identity     the headers that tell the other server who asks, believed by our certificate
    gateway      requests for their paths, passed on
    availability whether one can be reached, as its APIService says in its condition
    documents    their discovery and OpenAPI documents, joined with this server's own

With no such APIService a request pays for a look at an empty dictionary. Source: kube-aggregator
v1.35.
"""
