"""The rows of the built-in resource types: a file for each family, ROWS in each.

Called by resources.py, which makes the one table of them.
"""
