"""Custom resources: what a CustomResourceDefinition makes of its objects.

`rows.rows_of` turns a definition into rows of the resource table, each with a `kind.CustomKind`
that knows what built-in kinds have tables for: how bodies are read, defaulted, prepared, validated,
shown, owned, converted and documented. Everything is compiled from the schema once, at first use.
Nothing here knows a store or HTTP. Source: apiextensions-apiserver v1.35. Pure.
"""
