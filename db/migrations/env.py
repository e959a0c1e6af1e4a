"""How Alembic runs here: inside the caller's transaction, on the caller's connection."""

from alembic import context

from db.columns import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=False
)
context.run_migrations()
