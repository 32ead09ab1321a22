"""Level-triggered controllers on one shared runtime; CONTROLLERS lists them."""
