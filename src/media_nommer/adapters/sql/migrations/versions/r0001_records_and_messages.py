"""Make the tables of records and messages."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables of records and messages."""
    op.create_table(
        "jobs",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("jobs_by_creation", "jobs", ["created", "id"])
    op.create_index("jobs_by_state", "jobs", ["state", "created", "id"])
    op.create_table(
        "tasks",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("tasks_by_run", "tasks", ["job_id", "run", "created", "id"])
    op.create_index("tasks_by_change", "tasks", ["settled", "changed", "id"])
    op.create_table(
        "nodes",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "duties",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "messages",
        sa.Column("task_id", _ID, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("free_at", sa.BigInteger, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
    )
    op.create_index("messages_by_turn", "messages", ["version", "free_at", "task_id"])
