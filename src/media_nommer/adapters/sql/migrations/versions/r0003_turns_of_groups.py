"""Give messages a group, a turn and a stage, so that groups share what is taken.

What the version before writes is as good as ever: its messages go first, and are found due
or hidden by their time alone. The index that goes served its look before a take, on SQLite
alone; each index is written with each take.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns, and what the next message is found by."""
    added = (
        sa.Column("stage", sa.Integer, nullable=False, server_default="0"),
        sa.Column("group_id", _ID, nullable=False, server_default=""),
        sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"),
    )
    for column in added:
        op.add_column("messages", column)
    by_stage = ["version", "rank", "stage", "turn", "free_at", "task_id"]
    op.create_index("messages_by_stage", "messages", by_stage)
    op.create_index("messages_by_group", "messages", ["rank", "group_id", "turn"])
    op.drop_index("messages_by_turn", "messages")
    hidden = sa.text("stage > 0")
    op.create_index(
        "messages_hidden",
        "messages",
        ["version", "free_at"],
        sqlite_where=hidden,
        postgresql_where=hidden,
    )
