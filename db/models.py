"""Tables and constraints. Imported only inside db/.

Times are ISO-8601 UTC text (``2026-11-23T08:00:00.000000Z``: sorts as time does). Tables that hold
what a person entered are append-only; `db.triggers` forbids UPDATE and DELETE on them.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text, UniqueConstraint

from db.adjudication_models import adjudication as adjudication
from db.adjudication_models import adjudication_label as adjudication_label
from db.adjudication_models import adjudication_span as adjudication_span
from db.adjudication_models import label_standing as label_standing
from db.adjudication_models import proposal_pass as proposal_pass
from db.columns import REAL_NUMBER, new_table, one_of, refers, row_key, text, truth
from db.columns import metadata as metadata
from db.labelling_models import label as label
from db.labelling_models import label_submission as label_submission
from db.labelling_models import proposal as proposal
from db.labelling_models import proposal_answer as proposal_answer
from db.labelling_models import span as span
from db.machine_models import judge_score as judge_score
from db.machine_models import metric_score as metric_score
from db.machine_models import run as run
from db.machine_models import source_agreement as source_agreement
from db.people_models import identity as identity
from db.people_models import person as person
from db.people_models import session as session
from db.people_models import throttle as throttle
from db.trail_models import access_log as access_log
from db.trail_models import audit as audit

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

APPEND_ONLY = (
    "submission", "score", "flag", "preference", "step", "escalation", "escalation_note", "guess",
    "practice", "exclusion", "protocol", "instrument", "audit", "access_log",
    "label_submission", "label", "span", "proposal", "proposal_answer",
    "adjudication", "adjudication_label", "adjudication_span", "proposal_pass",
    "metric_score", "judge_score", "source_agreement",
)
"""Tables on which the database itself refuses UPDATE and DELETE."""
