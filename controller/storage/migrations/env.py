"""Run by alembic for each command; the connection, and its transaction, come from `controller.storage.database.migrate`."""

from alembic import context

from controller.storage.models import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
