"""Sections of the results and label results, and what they share."""
