"""Measures of labels."""
