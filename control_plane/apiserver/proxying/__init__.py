"""HTTP requests passed on to pods, services and nodes: their `proxy` subresources.

    backend         whom a request goes to: names with scheme and port, endpoints
    header_rules    which headers pass, in both directions
    html_links      links of a page that point to its server, made to point here
    reply           the exchange itself; relay runs it until it ends

Source: the proxy handlers of Kubernetes v1.35 and the reverse proxy of Go's library they use.
"""
