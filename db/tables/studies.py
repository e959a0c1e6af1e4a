"""Tables of studies: protocol, instruments, members, systems, items with answers and references."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text, UniqueConstraint

from db.columns import REAL_NUMBER, new_table, one_of, refers, row_key, text, truth

# --- studies ----------------------------------------------------------------------------------
study = new_table(
    "study",
    row_key(),
    Column("slug", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    text("stage", "draft"),
    text("language", "zh"),
    text("source_kind", "archived"),
    *truth("demonstration"),
    Column("created_at", Text, nullable=False),
    refers("created_by", "person.id", optional=True),
    Column("locked_at", Text),
    Column("unblinded_at", Text),
    one_of("stage", "draft", "open", "locked", "unblinded"),
    one_of("source_kind", "archived", "live"),
)

protocol = new_table(
    "protocol",
    row_key(),
    refers("study_id", "study.id"),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("scales", Text, nullable=False),  # digests of the instruments in force with it
    Column("labels", Text, nullable=False),
    text("reason"),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("study_id", "version"),
)

instrument = new_table(
    "instrument",
    row_key(),
    refers("study_id", "study.id"),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("study_id", "kind", "digest"),
    one_of("kind", "scales", "labels"),
)

membership = new_table(
    "membership",
    row_key(),
    refers("study_id", "study.id"),
    refers("person_id", "person.id"),
    Column("role", Text, nullable=False),
    Column("joined_at", Text, nullable=False),
    Column("left_at", Text),
    UniqueConstraint("study_id", "person_id", "role"),
    one_of("role", "rater", "annotator", "lead"),
    Index("ix_membership_person", "person_id"),
)

system = new_table(
    "system",
    row_key(),
    refers("study_id", "study.id"),
    Column("name", Text, nullable=False),
    Column("masked", Text, nullable=False),
    Column("position", Integer, nullable=False),
    *truth("baseline"),
    UniqueConstraint("study_id", "name"),
    UniqueConstraint("study_id", "masked"),
)

item = new_table(
    "item",
    row_key(),
    refers("study_id", "study.id"),
    Column("position", Integer, nullable=False),
    Column("key", Text, nullable=False),
    text("kind", "main"),
    Column("question", Text, nullable=False),
    text("description"),
    text("keywords"),
    text("source"),
    text("licence"),
    text("risk", "none"),
    *truth("risk_detected"),
    Column("withdrawn_at", Text),
    text("withdrawn_reason"),
    Column(  # of the draw that chose the item; NULL: not known
        "inclusion_probability",
        REAL_NUMBER,
        CheckConstraint(
            "inclusion_probability > 0 AND inclusion_probability <= 1",
            name="inclusion_probability_is_chance",
        ),
    ),
    UniqueConstraint("study_id", "key"),
    one_of("kind", "main", "check", "calibration"),
    one_of("risk", "none", "possible", "high"),
    Index("ix_item_withdrawn", "study_id", "withdrawn_at"),
)

answer = new_table(
    "answer",
    row_key(),
    refers("item_id", "item.id"),
    refers("system_id", "system.id", optional=True),
    text("part"),  # 'better' or 'worse' of a quality check, else empty
    Column("text", Text, nullable=False),
    text("model"),
    text("adapter"),
    text("prompt"),
    text("run"),
    text("distortions"),
    UniqueConstraint("item_id", "system_id", "part"),
    one_of("part", "", "better", "worse"),
)

reference = new_table(
    "reference",
    refers("item_id", "item.id", primary=True),
    Column("position", Integer, primary_key=True),
    Column("text", Text, nullable=False),
)
