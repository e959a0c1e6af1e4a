"""Tables of the desk: seats, tasks, drafts, submissions with their scores, escalations, guesses."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text, UniqueConstraint

from db.columns import REAL_NUMBER, new_table, one_of, refers, row_key, text

# --- work -------------------------------------------------------------------------------------
seat = new_table(  # one person's place in one study: what was gone through, and running counts
    "seat",
    refers("study_id", "study.id", primary=True),
    refers("person_id", "person.id", primary=True),
    Column("work", Text, primary_key=True),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("seconds", REAL_NUMBER, nullable=False, server_default="0"),
    Column("seconds_at_break", REAL_NUMBER, nullable=False, server_default="0"),
    Column("risk_items", Integer, nullable=False, server_default="0"),
    text("consent_version"),
    Column("consent_at", Text),
    Column("profile", Text),
    Column("guide_at", Text),
    Column("practice_at", Text),
    Column("final_at", Text),
    one_of("work", "rate", "label"),
)

task = new_table(
    "task",
    row_key(),
    Column("token", Text, nullable=False, unique=True),
    refers("study_id", "study.id"),
    refers("person_id", "person.id"),
    refers("item_id", "item.id"),
    text("work", "rate"),
    text("kind", "main"),
    text("panel"),  # opaque; the same for every rater of the same set of answers
    Column("position", Integer, nullable=False),
    refers("repeat_of", "task.id", optional=True),
    text("state", "waiting"),
    Column("opened_at", Text),
    Column("revision", Integer, nullable=False, server_default="0"),
    UniqueConstraint("study_id", "person_id", "work", "position"),
    one_of("work", "rate", "label"),
    one_of("kind", "main", "repeat", "check", "calibration"),
    one_of("state", "waiting", "opened", "done", "skipped", "released", "withdrawn"),
    Index("ix_task_next", "study_id", "person_id", "work", "state", "position"),
    Index("ix_task_item", "item_id"),
    Index("ix_task_repeat", "repeat_of"),
)

task_slot = new_table(
    "task_slot",
    refers("task_id", "task.id", primary=True),
    Column("slot", Text, primary_key=True),
    refers("answer_id", "answer.id"),
)

draft = new_table(
    "draft",
    refers("task_id", "task.id", primary=True),
    Column("sequence", Integer, nullable=False),
    Column("entries", Text, nullable=False),
    Column("at", Text, nullable=False),
)

submission = new_table(
    "submission",
    row_key(),
    refers("task_id", "task.id"),
    refers("study_id", "study.id"),
    refers("person_id", "person.id"),
    Column("revision", Integer, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),  # of what was sent: a repeated token must match
    Column("outcome", Text, nullable=False),
    text("skip_reason"),
    text("note"),
    text("reason"),
    text("comment"),
    Column("confidence", Integer),
    text("layout"),
    text("input"),
    text("lang"),
    Column("width", Integer),
    Column("active_seconds", REAL_NUMBER, nullable=False, server_default="0"),
    Column("at", Text, nullable=False),
    UniqueConstraint("task_id", "revision"),
    one_of("outcome", "scored", "skipped"),
    CheckConstraint("revision >= 1", name="revision_counts_from_1"),
    Index("ix_submission_study", "study_id", "task_id", "revision"),
)

score = new_table(
    "score",
    refers("submission_id", "submission.id", primary=True),
    Column("slot", Text, primary_key=True),  # empty for a scale of the whole task
    Column("scale", Text, primary_key=True),
    refers("answer_id", "answer.id", optional=True),
    Column("value", Integer),
    text("missing_reason"),
    CheckConstraint("(value IS NULL) = (missing_reason <> '')", name="value_or_reason"),
)

flag = new_table(
    "flag",
    row_key(),
    refers("submission_id", "submission.id"),
    Column("slot", Text, nullable=False),
    refers("answer_id", "answer.id"),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    text("quote"),
    Column("start", Integer),
    Column("end", Integer),
    Index("ix_flag_submission", "submission_id"),
)

preference = new_table(
    "preference",
    refers("submission_id", "submission.id", primary=True),
    Column("choice", Text, nullable=False),
    refers("answer_id", "answer.id", optional=True),
)

step = new_table(
    "step",
    refers("submission_id", "submission.id", primary=True),
    Column("slot", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    refers("answer_id", "answer.id"),
    Column("value", Integer, nullable=False),
)

escalation = new_table(
    "escalation",
    row_key(),
    refers("study_id", "study.id"),
    refers("submission_id", "submission.id"),
    Column("cause", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("ix_escalation_study", "study_id"),
)

escalation_note = new_table(
    "escalation_note",
    row_key(),
    refers("escalation_id", "escalation.id"),
    Column("action", Text, nullable=False),
    text("note"),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    one_of("action", "noted", "handled", "reopened"),
)

guess = new_table(
    "guess",
    row_key(),
    refers("study_id", "study.id"),
    refers("person_id", "person.id"),
    refers("task_id", "task.id"),
    Column("choice", Text, nullable=False),
    refers("answer_id", "answer.id", optional=True),
    text("reason"),
    Column("at", Text, nullable=False),
    UniqueConstraint("person_id", "task_id"),
)

practice = new_table(
    "practice",
    row_key(),
    refers("study_id", "study.id"),
    refers("person_id", "person.id"),
    Column("attempt", Integer, nullable=False),
    Column("item", Text, nullable=False),
    Column("entries", Text, nullable=False),
    Column("right", Integer, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("study_id", "person_id", "attempt", "item"),
)

exclusion = new_table(
    "exclusion",
    row_key(),
    refers("study_id", "study.id"),
    refers("person_id", "person.id", optional=True),
    refers("item_id", "item.id", optional=True),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
)
