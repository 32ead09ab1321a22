"""cert-manager's controller, webhook and cainjector against a whole cluster."""
