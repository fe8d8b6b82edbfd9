"""What operators may do, what they have set, the states they were in; calls' directions and transfers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.storage.columns import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for permission in ("inbound", "team"):
        op.add_column("operators", sa.Column(permission, sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("calls", sa.Column("direction", sa.String(), server_default="inbound", nullable=False))
    op.add_column("call_legs", sa.Column("transferred_by", sa.String(), server_default="", nullable=False))
    op.create_table(
        "operator_switches",
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("logged_in", sa.Boolean(), nullable=False),
        sa.Column("do_not_disturb", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("operator_id"),
    )
    op.create_table(
        "operator_state_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operator_state_changes_operator", "operator_state_changes", ["operator_id", "id"])
