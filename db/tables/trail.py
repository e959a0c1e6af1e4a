"""Tables of the trail: what changed a study (hash chain), and who signed in, read or exported."""

from sqlalchemy import Column, Integer, Text, UniqueConstraint

from db.columns import new_table, refers, row_key, text

audit = new_table(  # chain: the study's id as text, or 'system'
    "audit",
    row_key(),
    Column("chain", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("chain", "seq"),
)

access_log = new_table(
    "access_log",
    row_key(),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    refers("study_id", "study.id", optional=True),
    text("detail"),
)
