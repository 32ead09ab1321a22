"""/metrics: what the server has counted, under upstream's names.

Counting costs a request a few microseconds: integers and lists, put into words when somebody asks.
Pure but for `endpoint`, which serves it. Source: the metrics of kube-apiserver v1.35.
"""
