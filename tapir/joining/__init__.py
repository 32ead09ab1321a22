"""How a second node comes to a cluster: a token here, one command there, as kubeadm does it."""
