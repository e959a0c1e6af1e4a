"""One study's rows to typed results: no database, no person, no file of its own."""
