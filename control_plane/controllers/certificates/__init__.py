"""Certificate signing requests: approved, signed and cleared away.

    request ── approving ──▶ Approved ── signing ──▶ certificate ── cleaning ──▶ gone

What a signer signs is said by `signers`, what a certificate is like by `issuing`; both are pure.
"""
