"""Find jobs by tag and preset, and give messages a rank.

What the version before writes is as good as ever: its messages rank in the middle.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table of labels and the rank of messages."""
    op.create_table(
        "labels",
        sa.Column("label", _ID, primary_key=True),
        sa.Column("created", sa.BigInteger, primary_key=True),
        sa.Column("job_id", _ID, primary_key=True),
    )
    op.create_index("labels_by_job", "labels", ["job_id"])
    op.add_column(
        "messages", sa.Column("rank", sa.Integer, nullable=False, server_default="1")
    )
    op.create_index(
        "messages_by_rank", "messages", ["version", "rank", "free_at", "task_id"]
    )
