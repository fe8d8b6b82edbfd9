"""What operators telephone with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operators", sa.Column("call_mode", sa.String(), server_default="sip_phone", nullable=False))
