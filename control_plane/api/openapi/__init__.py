"""OpenAPI v2 and v3 documents, generated from the resource table and the type definitions.

`documents.OpenApiDocuments` is what the API server uses. Enough for `kubectl explain`, for
kubectl's validation and for generated clients; the texts of operations and parameters are this
project's own.
"""
