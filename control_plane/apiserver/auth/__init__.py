"""Who a request comes from (authn) and whether it may be made (authz)."""
