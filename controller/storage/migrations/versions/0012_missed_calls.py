"""Missed calls, who is told of them, and which calls were looked at for that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.storage.columns import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "missed_calls",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("caller_number", sa.String(), nullable=False),
        sa.Column("caller_name", sa.String(), nullable=False),
        sa.Column("called_number", sa.String(), nullable=False),
        sa.Column("line_name", sa.String(), nullable=False),
        sa.Column("arrived_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("offered_to", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("owner_user_id", sa.Integer(), nullable=True),
        sa.Column("owner_operator_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("closed_by_call", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["owner_user_id"], ["users.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["owner_operator_id"], ["operators.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("call_id"),
    )
    for owner in ("owner_user_id", "owner_operator_id"):
        op.create_index(f"ix_missed_calls_{owner}", "missed_calls", [owner])
    is_open = sa.text("status = 'open'")
    op.create_index("ix_missed_calls_open", "missed_calls", ["number", "call_id"], sqlite_where=is_open, postgresql_where=is_open)
    # Nobody wants letters about the calls of last year.
    op.add_column("calls", sa.Column("followed_up", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_index(
        "ix_calls_to_follow_up",
        "calls",
        ["ended_at", "id"],
        sqlite_where=sa.text("followed_up = 0"),
        postgresql_where=sa.text("NOT followed_up"),
    )
    for call in ("call_id", "last_call_id"):
        op.create_index(f"ix_callbacks_{call}", "callbacks", [call])
    op.add_column("users", sa.Column("email", sa.String(), nullable=True))
    # SQLite adds a foreign key only together with its column, which a new table in place of the old one allows.
    with op.batch_alter_table("inbound_numbers") as table:
        table.add_column(sa.Column("responsible_id", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_inbound_numbers_responsible_id", "users", ["responsible_id"], ["id"], ondelete="SET NULL")
    op.create_index("ix_inbound_numbers_responsible_id", "inbound_numbers", ["responsible_id"])
