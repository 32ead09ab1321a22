"""Resource quotas: what objects use, which quotas count it, and whether it still fits.

`countables.countable` says how a kind is counted, `charging.charges` decides about one write, and
`tally.usage_of` adds up what is there. All pure; called by the API server's admission, which
charges quotas as objects are written, and by the resourcequota controller, which recounts.
"""
