"""Alembic's environment: what has been done to the tables, one file a step."""
