"""Studies: created, in force, amended, followed, locked, registered."""
