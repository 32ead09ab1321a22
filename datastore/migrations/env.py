"""Run by alembic inside a connection and a transaction that `datastore.backends` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=False,  # the caller's transaction is the one
)
context.run_migrations()
