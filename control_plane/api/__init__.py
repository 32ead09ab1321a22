"""RESOURCES and what their objects mean. Pure: no I/O, importable by every component.

The table (`resources`), accessors (`objects`), errors, selectors, quantities, names and times; the
type definitions (`schema`) with patches, defaults, preparation and validation on top of them; and
the documents that describe the API: discovery, `openapi`, `tables`.
"""
