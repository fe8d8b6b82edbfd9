"""Recordings of which nothing could be written; how long those of a number are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recordings", sa.Column("failed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("inbound_numbers", sa.Column("recordings_days", sa.Integer(), nullable=True))
