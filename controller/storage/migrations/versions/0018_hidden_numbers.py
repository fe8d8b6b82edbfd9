"""Campaigns that hide numbers from operators; the campaign on the record of a call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OF_CAMPAIGN = sa.text("campaign_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("hide_numbers", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("calls", sa.Column("campaign_id", sa.Integer(), nullable=True))
    op.create_index(
        "ix_calls_of_campaigns",
        "calls",
        ["caller_number"],
        unique=False,
        sqlite_where=_OF_CAMPAIGN,
        postgresql_where=_OF_CAMPAIGN,
    )
