"""What the flags of the tools call the databases that a store may be in."""

SHARED = "postgresql://… or mysql://…"  # by several servers
DATABASES = f"sqlite:///file.db, {SHARED}"
