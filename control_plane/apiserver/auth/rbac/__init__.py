"""Role-based access control: what roles allow, and to whom bindings give them."""
