"""Groups' terms, members' weights and levels, and why calls were offered to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.storage.columns import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_GROUPS = {"wrap_up_seconds": "0", "priority": "0", "version": "1"}


def upgrade() -> None:
    with op.batch_alter_table("groups") as table:
        for name, default in _GROUPS.items():
            table.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default=default))
        table.add_column(sa.Column("sticky_owner", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("longest_wait", sa.Integer(), nullable=True))
        table.add_column(sa.Column("longest_talk", sa.Integer(), nullable=True))
    with op.batch_alter_table("groups") as table:
        for name in (*_GROUPS, "sticky_owner"):
            table.alter_column(name, server_default=None)
    with op.batch_alter_table("group_members") as table:
        for name in ("weight", "level"):
            table.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("group_members") as table:
        for name in ("weight", "level"):
            table.alter_column(name, server_default=None)
    op.create_table(
        "routing_decisions",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("offered", sa.JSON(), nullable=False),
        sa.Column("order", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "number"),
    )
