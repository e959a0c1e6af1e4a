"""Storage: engine, tables, one module of functions per noun. SQLAlchemy lives here alone."""
