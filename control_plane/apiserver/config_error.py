"""The refusal of a configuration, for everything that reads a part of it."""


class ConfigError(Exception):
    """The configuration cannot work; the text is one line that names the thing and the remedy."""
