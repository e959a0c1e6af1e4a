"""Measurements: scripts that print a table, kept out of the tests."""
