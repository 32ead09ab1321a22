"""The kubelet's own certificates: asked for with CertificateSigningRequests, renewed in time.

bootstrap kubeconfig ── first client certificate ── kubeconfig
                                 │ renewal
                                 ▼
                        the API client, the kubelet's own server
"""
