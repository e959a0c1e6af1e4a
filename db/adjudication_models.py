"""Tables of adjudication: a lead's decision about the labels of an item, a record of its own.

With them: how far the annotators of an item are apart, and on which items a machine was run.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text, UniqueConstraint

from db.columns import REAL_NUMBER, new_table, one_of, refers, row_key, text, truth

adjudication = new_table(  # raw labels stay as they are; a changed mind is a new revision
    "adjudication",
    row_key(),
    refers("study_id", "study.id"),
    refers("item_id", "item.id"),
    refers("person_id", "person.id"),
    Column("revision", Integer, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("seen", Text, nullable=False),  # JSON: the blind label submissions that were shown
    Column("at", Text, nullable=False),
    UniqueConstraint("study_id", "item_id", "revision"),
    one_of("outcome", "labelled", "none", "unsure"),
    CheckConstraint("revision >= 1", name="revision_counts_from_1"),
)

adjudication_label = new_table(  # `whole`: given to the item without a span
    "adjudication_label",
    refers("adjudication_id", "adjudication.id", primary=True),
    Column("label", Text, primary_key=True),
    *truth("whole"),
)

adjudication_span = new_table(  # code points, end exclusive
    "adjudication_span",
    refers("adjudication_id", "adjudication.id", primary=True),
    Column("field", Text, primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("end", Integer, primary_key=True),
    Column("label", Text, primary_key=True),
    text("quote", None),
    one_of("field", "question", "description"),
    CheckConstraint('start >= 0 AND "end" > start', name="span_holds_something"),
)

label_standing = new_table(  # derived: may be deleted at any time, and is then reckoned anew
    "label_standing",
    refers("item_id", "item.id", primary=True),
    refers("study_id", "study.id"),
    Column("voters", Integer, nullable=False, server_default="0"),  # blind rounds not skipped
    Column("disagreement", REAL_NUMBER, nullable=False, server_default="0"),
    Column("span_disagreement", REAL_NUMBER, nullable=False, server_default="0"),
    Column("shuffle", Text, nullable=False),  # seeded: items alike stand in no telling order
    Column("newest", Integer, nullable=False, server_default="0"),  # last submission reckoned in
    Index("ix_label_standing_order", "study_id", "disagreement", "span_disagreement", "shuffle"),
    Index("ix_label_standing_newest", "study_id", "newest"),
    Index("ix_label_standing_voters", "study_id", "voters"),
)

proposal_pass = new_table(  # a machine was run on this item, whatever it found
    "proposal_pass",
    row_key(),
    refers("study_id", "study.id"),
    refers("item_id", "item.id"),
    text("source"),
    text("run"),
    Column("found", Integer, nullable=False),
    Column("at", Text, nullable=False),
    CheckConstraint("found >= 0", name="found_is_a_count"),
    Index("ix_proposal_pass_study", "study_id", "item_id"),
)
