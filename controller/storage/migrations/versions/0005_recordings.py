"""Several addresses of a voicemail, messages that could not be recorded, pauses of recordings, and who may hear them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_EMPTY_LIST = sa.text("'[]'")


def upgrade() -> None:
    _voicemails()
    op.add_column("recordings", sa.Column("pauses", sa.JSON(), nullable=False, server_default=_EMPTY_LIST))
    _permissions()


def _voicemails() -> None:
    op.add_column("voicemails", sa.Column("failed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("voicemails", sa.Column("recipients", sa.JSON(), nullable=False, server_default=_EMPTY_LIST))
    voicemails = sa.table("voicemails", sa.column("id"), sa.column("recipient"), sa.column("recipients", sa.JSON()))
    connection = op.get_bind()
    for id, recipient in connection.execute(sa.select(voicemails.c.id, voicemails.c.recipient)).all():
        if recipient.strip():
            connection.execute(voicemails.update().where(voicemails.c.id == id).values(recipients=[recipient.strip()]))
    op.drop_column("voicemails", "recipient")
    op.execute(
        "UPDATE outbox SET dedupe_key = dedupe_key || ':' || recipient WHERE kind = 'voicemail' AND dedupe_key IS NOT NULL"
    )


def _permissions() -> None:
    """Who could hear recordings before still can; new users and tokens can't unless somebody says so."""
    for table in ("users", "api_tokens"):
        op.add_column(table, sa.Column("hears_recordings", sa.Boolean(), nullable=False, server_default=sa.false()))
        op.execute(f"UPDATE {table} SET hears_recordings = true")
