"""The report of a study, for its lead."""
