"""RESOURCES and what their objects mean: selectors, quantities, patches, schema, errors. Pure: no I/O."""
