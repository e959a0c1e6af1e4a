"""Exports of a study, for its lead."""
