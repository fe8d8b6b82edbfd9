"""Operators' time zones, and what groups tell waiting callers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operators", sa.Column("time_zone", sa.String(), nullable=True))
    op.add_column("groups", sa.Column("announce_every", sa.Integer(), nullable=True))
    for name in ("announce_place", "announce_wait"):
        op.add_column("groups", sa.Column(name, sa.Boolean(), server_default=sa.true(), nullable=False))
