"""A number's channels, directions, source and trunk; the source of a call; a trunk's domain, and whether it brings calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite adds a foreign key only together with its column, which a new table in place of the old one allows.
    with op.batch_alter_table("inbound_numbers") as table:
        table.add_column(sa.Column("channels", sa.Integer(), nullable=True))
        for direction in ("incoming", "outgoing"):
            table.add_column(sa.Column(direction, sa.Boolean(), server_default=sa.true(), nullable=False))
        table.add_column(sa.Column("source", sa.String(), server_default="", nullable=False))
        table.add_column(sa.Column("trunk_id", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_inbound_numbers_trunk_id", "trunks", ["trunk_id"], ["id"], ondelete="SET NULL")
    op.create_index("ix_inbound_numbers_trunk_id", "inbound_numbers", ["trunk_id"], unique=False)
    op.add_column("calls", sa.Column("source", sa.String(), server_default="", nullable=False))
    op.create_index("ix_calls_called", "calls", ["called_number", "started_at"], unique=False)
    op.add_column("trunks", sa.Column("domain", sa.String(), server_default="", nullable=False))
    op.add_column("trunks", sa.Column("inbound", sa.Boolean(), server_default=sa.true(), nullable=False))
