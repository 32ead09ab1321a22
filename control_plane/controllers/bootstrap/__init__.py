"""Bootstrap tokens: cluster-info is signed with them, and they go when they are over.

Both controllers are off unless --controllers names them, as upstream.
"""
