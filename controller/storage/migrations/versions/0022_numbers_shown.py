"""What confirms that our numbers are ours; whether a trunk's carrier lets us show others."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from controller.storage.columns import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trunks", sa.Column("clip_no_screening", sa.Boolean(), server_default=sa.false(), nullable=False))
    for moment in ("confirmed_at", "expires_at", "code_expires_at"):
        op.add_column("inbound_numbers", sa.Column(moment, UtcDateTime(), nullable=True))
    op.add_column("inbound_numbers", sa.Column("code_hash", sa.String(), server_default="", nullable=False))
    op.add_column("inbound_numbers", sa.Column("code_tries", sa.Integer(), server_default="0", nullable=False))
    # Those that are here were shown until now: they stay so, as numbers of our own trunks.
    numbers = sa.table("inbound_numbers", sa.column("confirmed_at", UtcDateTime()))
    op.execute(numbers.update().values(confirmed_at=datetime.now(UTC)))
