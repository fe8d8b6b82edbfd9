"""Campaigns with their employees, transfer numbers and leads; the numbers that belong to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.storage.columns import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_EMPLOYEES = {"operator": "operators", "group": "groups"}


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unknown_callers", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("ring_seconds", sa.Integer(), nullable=False),
        sa.Column("wrap_up_seconds", sa.Integer(), nullable=False),
        sa.Column("longest_wait", sa.Integer(), nullable=True),
        sa.Column("longest_talk", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("sticky_owner", sa.Boolean(), nullable=False),
        sa.Column("announce_every", sa.Integer(), nullable=True),
        sa.Column("announce_place", sa.Boolean(), nullable=False),
        sa.Column("announce_wait", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    for one, many in _EMPLOYEES.items():
        op.create_table(
            f"campaign_{many}",
            sa.Column("campaign_id", sa.Integer(), nullable=False),
            sa.Column(f"{one}_id", sa.Integer(), nullable=False),
            sa.Column("position", sa.Integer(), nullable=False),
            sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
            sa.ForeignKeyConstraint([f"{one}_id"], [f"{many}.id"], ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("campaign_id", f"{one}_id"),
        )
        op.create_index(f"ix_campaign_{many}_{one}_id", f"campaign_{many}", [f"{one}_id"])
    op.create_table(
        "campaign_transfer_numbers",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id", "position"),
    )
    op.create_table(
        "leads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campaign_id", "number"),
    )
    # As in 0007: SQLite adds a foreign key only together with its column.
    with op.batch_alter_table("inbound_numbers") as table:
        table.add_column(sa.Column("campaign_id", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_inbound_numbers_campaign_id", "campaigns", ["campaign_id"], ["id"], ondelete="SET NULL")
    op.create_index("ix_inbound_numbers_campaign_id", "inbound_numbers", ["campaign_id"])
