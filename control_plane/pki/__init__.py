"""The cluster's certificate authority, the component certificates and their kubeconfig files.

Public names: `authority.Authority`, `authority.Identity`, `cluster.ClusterPki`,
`cluster.ensure_pki`, `kubeconfig.write_kubeconfig`.
"""
