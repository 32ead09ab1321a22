"""A fuzzer of the API server: requests made from its OpenAPI documents, and then spoilt.

Credentials are spoilt, too.
"""
