"""What runs on a machine: the kubelet on a container runtime."""
