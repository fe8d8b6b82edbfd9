"""Recordings that are too old are found without reading all of them."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_recordings_started_at", "recordings", ["started_at"], unique=False)
