"""Why a number cannot be had. Turned into a field error or a 500 by `services`."""


class AllocationError(Exception):
    """The number asked for cannot be had; the text is the field error's detail."""


class RangeFullError(Exception):
    """No number is left."""

    def __init__(self) -> None:
        """Say so in upstream's words."""
        super().__init__("range is full")
