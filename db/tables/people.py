"""Tables of people: codes, identities apart from them, sessions, failed sign-ins."""

from sqlalchemy import Column, Index, Integer, Text

from db.columns import new_table, one_of, refers, row_key, text, truth

person = new_table(
    "person",
    row_key(),
    Column("code", Text, nullable=False, unique=True),
    Column("created_at", Text, nullable=False),
    Column("disabled_at", Text),
    *truth("may_create_studies"),
    *truth("demonstration"),
    Column("secret_hash", Text),
    text("secret_kind", "issued"),
    text("language"),
    one_of("secret_kind", "issued", "own"),
)

identity = new_table(  # apart: deleting it leaves pseudonymous data untouched
    "identity", refers("person_id", "person.id", primary=True), text("name"), text("email")
)

session = new_table(
    "session",
    Column("token_hash", Text, primary_key=True),
    refers("person_id", "person.id"),
    Column("created_at", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),  # kept with the row: a look-up needs no settings
    Column("idle_seconds", Integer, nullable=False),
    Column("ended_at", Text),
    Index("ix_session_person", "person_id"),
)

throttle = new_table(
    "throttle",
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Text, nullable=False),
)
