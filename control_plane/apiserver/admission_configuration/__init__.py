"""What admission is told: flags (options.py), the configuration file (document.py), settings.

It knows no plugin, only their names.
"""
