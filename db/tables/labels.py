"""Tables of labels: what annotators marked, what machines proposed, what an adjudicator decided.

A lead's decision about an item is a record of its own; raw labels are never touched.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text, UniqueConstraint

from db.columns import REAL_NUMBER, new_table, one_of, refers, row_key, text, truth

label_submission = new_table(  # one save in the span marker; revisions count over both rounds
    "label_submission",
    row_key(),
    refers("task_id", "task.id"),
    refers("study_id", "study.id"),
    refers("person_id", "person.id"),
    Column("round", Text, nullable=False),  # 'model': the machine's proposals were on the screen
    Column("revision", Integer, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("certainty", Integer),
    text("note"),
    text("reason"),
    text("skip_reason"),
    text("layout"),
    text("input"),
    text("lang"),
    Column("width", Integer),
    Column("active_seconds", REAL_NUMBER, nullable=False, server_default="0"),
    Column("at", Text, nullable=False),
    UniqueConstraint("task_id", "revision"),
    one_of("round", "blind", "model"),
    one_of("outcome", "labelled", "none", "unsure", "skipped"),
    CheckConstraint("revision >= 1", name="revision_counts_from_1"),
    CheckConstraint("certainty BETWEEN 1 AND 3", name="certainty_is_1_to_3"),
    Index("ix_label_submission_study", "study_id", "task_id", "revision"),
    Index("ix_label_submission_round", "study_id", "round", "id"),
)

label = new_table(  # every label of the item, once; `whole`: given to the item without a span
    "label",
    refers("submission_id", "label_submission.id", primary=True),
    Column("label", Text, primary_key=True),
    *truth("whole"),
    text("origin", "own"),
    one_of("origin", "own", "model"),
)

span = new_table(  # code points, end exclusive; `quote` is what the server cut out
    "span",
    refers("submission_id", "label_submission.id", primary=True),
    Column("field", Text, primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("end", Integer, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("quote", Text, nullable=False),
    text("origin", "own"),
    one_of("origin", "own", "model"),
    one_of("field", "question", "description"),
    CheckConstraint('start >= 0 AND "end" > start', name="span_holds_something"),
)

proposal = new_table(  # a machine's label of an item, perhaps with the words it rests on
    "proposal",
    row_key(),
    refers("study_id", "study.id"),
    refers("item_id", "item.id"),
    Column("label", Text, nullable=False),
    text("field"),
    Column("start", Integer),
    Column("end", Integer),
    text("source"),
    text("run"),
    Column("at", Text, nullable=False),
    one_of("field", "", "question", "description"),
    CheckConstraint(
        """(field = '') = (start IS NULL) AND (start IS NULL) = ("end" IS NULL)""",
        name="evidence_is_whole",
    ),
    CheckConstraint('start >= 0 AND "end" > start', name="evidence_holds_something"),
    Index("ix_proposal_item", "item_id"),
    Index("ix_proposal_study", "study_id"),
)

proposal_answer = new_table(  # what an annotator made of a proposal; changed: to which label, where
    "proposal_answer",
    refers("submission_id", "label_submission.id", primary=True),
    refers("proposal_id", "proposal.id", primary=True),
    Column("answer", Text, nullable=False),
    text("label"),
    text("field"),
    Column("start", Integer),
    Column("end", Integer),
    one_of("answer", "confirmed", "changed", "rejected"),
)


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
