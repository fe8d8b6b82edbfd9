"""A number's own schedule, off-hours scenario, group, longest wait and prompts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_REFERENCES = {"off_hours_scenario_id": "scenarios", "schedule_id": "schedules", "group_id": "groups"}


def upgrade() -> None:
    # SQLite adds a foreign key only together with its column, which a new table in place of the old one allows.
    with op.batch_alter_table("inbound_numbers") as table:
        for name, target in _REFERENCES.items():
            table.add_column(sa.Column(name, sa.Integer(), nullable=True))
            table.create_foreign_key(f"fk_inbound_numbers_{name}", target, [name], ["id"], ondelete="SET NULL")
        table.add_column(sa.Column("longest_wait", sa.Integer(), nullable=False, server_default="300"))
        table.add_column(sa.Column("prompts", sa.JSON(), nullable=False, server_default="{}"))
    for name in _REFERENCES:
        op.create_index(f"ix_inbound_numbers_{name}", "inbound_numbers", [name], unique=False)
    with op.batch_alter_table("inbound_numbers") as table:
        table.alter_column("longest_wait", server_default=None)
        table.alter_column("prompts", server_default=None)
