"""Encryption at rest: values are sealed on their way into the store and opened on their way out.

    EncryptionConfiguration ── configuration ── Encryption ── Sealing, one for each stored type
                                                    ▲              │
                                                 reload         ciphers

The bytes are those of a kube-apiserver, so that either reads what the other has written.
"""
