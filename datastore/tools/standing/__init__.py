"""How a store and its servers stand: what they say over the wire, in metrics, in their database."""
