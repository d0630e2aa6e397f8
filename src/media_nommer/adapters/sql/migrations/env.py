"""What Alembic runs: the migrations, in the transaction that our caller has opened."""

from alembic import context

from media_nommer.adapters.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata
)
context.run_migrations()
