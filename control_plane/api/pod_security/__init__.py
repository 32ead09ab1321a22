"""Pod Security Standards: what the levels baseline and restricted forbid, in every version.

`policy` reads a namespace's labels, `evaluation` looks at a pod; `baseline` and `restricted` hold
the checks. All pure; called by the PodSecurity admission plugin. Source: v1.35
pod-security-admission.
"""
