"""Whether a trunk's carrier lets us show numbers that are not its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trunks", sa.Column("clip_no_screening", sa.Boolean(), server_default=sa.false(), nullable=False))
