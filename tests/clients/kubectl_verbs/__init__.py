"""Every verb of kubectl against an API server, with any number of kubectls side by side."""
