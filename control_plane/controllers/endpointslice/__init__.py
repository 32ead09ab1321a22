"""EndpointSlices: the addresses behind a service in slices of at most 100, by address family.

`endpoint.py` makes the endpoints, `packing.py` spreads them over slices with as few writes as it
can (both pure), `controller.py` writes.
"""
