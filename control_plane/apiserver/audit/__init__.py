"""The audit log: who asked for what, what was decided, and what came of it.

    edge ── Auditor ── Policy          which requests, in how much detail (pure)
               │
               └ Trail (one request) ── event ── backends: a log file, a webhook

Without a policy or without a backend none of it is made, and requests do not know of it.
Source: audit.k8s.io/v1 of Kubernetes v1.35.
"""
