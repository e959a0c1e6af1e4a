"""The sections of a report, each with what the checklists ask about its subject."""
