"""Who may call the kubelet: certificates and tokens say who, the API server what they may.

caller      who asks, by a client certificate
attributes  what a request needs, as subresources of the node
reviews     TokenReviews and SubjectAccessReviews, whose answers are remembered
gate        the middleware before all handlers
"""
