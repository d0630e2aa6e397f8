"""The tables: a document per record, and beside it what it is found and fenced by.

Times are whole microseconds since 1970. A change here needs a migration beside it; a test
compares the two.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

#: Ids sort by code point everywhere, whatever language the database was made for.
_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Index("jobs_by_creation", "created", "id"),
    sa.Index("jobs_by_state", "state", "created", "id"),
)

#: A line for each tag and preset of a job, by which it is found. They never change, and one
#: whose job is not there means nothing.
labels = sa.Table(
    "labels",
    metadata,
    sa.Column("label", _ID, primary_key=True),
    sa.Column("created", sa.BigInteger, primary_key=True),
    sa.Column("job_id", _ID, primary_key=True),
    sa.Index("labels_by_job", "job_id"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("job_id", _ID, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Index("tasks_by_run", "job_id", "run", "created", "id"),
    sa.Index("tasks_by_change", "settled", "changed", "id"),
)

nodes = sa.Table(
    "nodes",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
)

duties = sa.Table(
    "duties",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
)

_BY_STAGE = ("version", "rank", "stage", "turn", "free_at", "task_id")

#: One message a task. ``token`` is empty while nobody holds it; ``version`` is the wire
#: version that it was put in, and others than ours are left alone; ``rank`` stands for the
#: priority, 0 being the highest; ``turns`` says what group, turn and stage are.
messages = sa.Table(
    "messages",
    metadata,
    sa.Column("task_id", _ID, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("free_at", sa.BigInteger, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False, server_default="1"),
    sa.Column("stage", sa.Integer, nullable=False, server_default="0"),
    sa.Column("group_id", _ID, nullable=False, server_default=""),
    sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("messages_by_rank", "version", "rank", "free_at", "task_id"),
    sa.Index("messages_by_stage", *_BY_STAGE),
    sa.Index("messages_by_group", "rank", "group_id", "turn"),
    sa.Index(
        "messages_hidden",
        "version",
        "free_at",
        sqlite_where=sa.text("stage > 0"),
        postgresql_where=sa.text("stage > 0"),
    ),
)
