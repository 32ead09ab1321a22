"""DURABILITY: the only SQL; BACKENDS lists the databases."""
