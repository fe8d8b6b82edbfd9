"""Phones that missed calls are forwarded to, the codes that confirm their numbers, and each number's rule of forwarding."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.storage.columns import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COMMON = sa.text("operator_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "forwarding_phones",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.Column("approval", sa.String(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("code_expires_at", UtcDateTime(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("operator_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_forwarding_phones_common",
        "forwarding_phones",
        ["number"],
        unique=True,
        sqlite_where=_COMMON,
        postgresql_where=_COMMON,
    )
    op.create_table(
        "given_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_given_codes_at", "given_codes", ["at"])
    op.add_column("inbound_numbers", sa.Column("forwarding", sa.JSON(), nullable=False, server_default="{}"))
