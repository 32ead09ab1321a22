"""The cluster's certificate authority, the component certificates and their kubeconfig files."""
