"""The kubelet's HTTPS server: logs, exec, attach, pods, health; callers show a certificate."""
