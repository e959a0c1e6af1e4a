"""The report of a study: one HTML file, tables, figures, checklists."""
