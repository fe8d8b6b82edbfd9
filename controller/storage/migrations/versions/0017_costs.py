"""Rates, monthly prices of trunks, and what each line through a trunk has cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_PAID = sa.text("trunk_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("call_legs", sa.Column("trunk_id", sa.Integer(), nullable=True))
    op.add_column("call_legs", sa.Column("of_client", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("call_legs", sa.Column("cost", sa.BigInteger(), nullable=True))
    op.create_index("ix_call_legs_paid", "call_legs", ["started_at"], sqlite_where=_PAID, postgresql_where=_PAID)
    op.create_table(
        "rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("trunk_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("per_minute", sa.BigInteger(), nullable=False),
        sa.Column("connection", sa.BigInteger(), nullable=False),
        sa.Column("first_seconds", sa.Integer(), nullable=False),
        sa.Column("next_seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["trunk_id"], ["trunks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rates_prefix", "rates", ["prefix"])
    op.create_index("ix_rates_trunk_id", "rates", ["trunk_id"])
    op.create_table(
        "trunk_prices",
        sa.Column("trunk_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trunk_id", "valid_from"),
    )
