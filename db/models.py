"""Tables and constraints. Imported only inside db/.

Times are ISO-8601 UTC text (``2026-11-23T08:00:00.000000Z``: sorts as time does). Tables that hold
what a person entered are append-only; `db.triggers` forbids UPDATE and DELETE on them.
"""


from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


REAL_NUMBER = Float().with_variant(REAL(), "sqlite")  # STRICT tables know REAL, not FLOAT


def _table(name: str, *parts: SchemaItem) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def _key() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _text(name: str, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _to(name: str, target: str, *, optional: bool = False, primary: bool = False) -> Column[int]:
    return Column(name, Integer, ForeignKey(target), nullable=optional, primary_key=primary)


def _truth(name: str) -> list[SchemaItem]:
    return [
        Column(name, Integer, nullable=False, server_default="0"),
        CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_is_truth"),
    ]


def _one_of(name: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name=f"{name}_is_known")


# --- people -----------------------------------------------------------------------------------
person = _table(
    "person",
    _key(),
    Column("code", Text, nullable=False, unique=True),
    Column("created_at", Text, nullable=False),
    Column("disabled_at", Text),
    *_truth("may_create_studies"),
    *_truth("demonstration"),
    Column("secret_hash", Text),
    _text("secret_kind", "issued"),
    _text("language"),
    _one_of("secret_kind", "issued", "own"),
)

identity = _table(  # apart: deleting it leaves pseudonymous data untouched
    "identity", _to("person_id", "person.id", primary=True), _text("name"), _text("email")
)

session = _table(
    "session",
    Column("token_hash", Text, primary_key=True),
    _to("person_id", "person.id"),
    Column("created_at", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),  # kept with the row: a look-up needs no settings
    Column("idle_seconds", Integer, nullable=False),
    Column("ended_at", Text),
    Index("ix_session_person", "person_id"),
)

throttle = _table(
    "throttle",
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Text, nullable=False),
)

# --- studies ----------------------------------------------------------------------------------
study = _table(
    "study",
    _key(),
    Column("slug", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    _text("stage", "draft"),
    _text("language", "zh"),
    _text("source_kind", "archived"),
    *_truth("demonstration"),
    Column("created_at", Text, nullable=False),
    _to("created_by", "person.id", optional=True),
    Column("locked_at", Text),
    Column("unblinded_at", Text),
    _one_of("stage", "draft", "open", "locked", "unblinded"),
    _one_of("source_kind", "archived", "live"),
)

protocol = _table(
    "protocol",
    _key(),
    _to("study_id", "study.id"),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("scales", Text, nullable=False),  # digests of the instruments in force with it
    Column("labels", Text, nullable=False),
    _text("reason"),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("study_id", "version"),
)

instrument = _table(
    "instrument",
    _key(),
    _to("study_id", "study.id"),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("study_id", "kind", "digest"),
    _one_of("kind", "scales", "labels"),
)

membership = _table(
    "membership",
    _key(),
    _to("study_id", "study.id"),
    _to("person_id", "person.id"),
    Column("role", Text, nullable=False),
    Column("joined_at", Text, nullable=False),
    Column("left_at", Text),
    UniqueConstraint("study_id", "person_id", "role"),
    _one_of("role", "rater", "annotator", "lead"),
    Index("ix_membership_person", "person_id"),
)

system = _table(
    "system",
    _key(),
    _to("study_id", "study.id"),
    Column("name", Text, nullable=False),
    Column("masked", Text, nullable=False),
    Column("position", Integer, nullable=False),
    *_truth("baseline"),
    UniqueConstraint("study_id", "name"),
    UniqueConstraint("study_id", "masked"),
)

item = _table(
    "item",
    _key(),
    _to("study_id", "study.id"),
    Column("position", Integer, nullable=False),
    Column("key", Text, nullable=False),
    _text("kind", "main"),
    Column("question", Text, nullable=False),
    _text("description"),
    _text("keywords"),
    _text("source"),
    _text("licence"),
    _text("risk", "none"),
    *_truth("risk_detected"),
    Column("withdrawn_at", Text),
    _text("withdrawn_reason"),
    UniqueConstraint("study_id", "key"),
    _one_of("kind", "main", "check", "calibration"),
    _one_of("risk", "none", "possible", "high"),
)

answer = _table(
    "answer",
    _key(),
    _to("item_id", "item.id"),
    _to("system_id", "system.id", optional=True),
    _text("part"),  # 'better' or 'worse' of a quality check, else empty
    Column("text", Text, nullable=False),
    _text("model"),
    _text("adapter"),
    _text("prompt"),
    _text("run"),
    _text("distortions"),
    UniqueConstraint("item_id", "system_id", "part"),
    _one_of("part", "", "better", "worse"),
)

reference = _table(
    "reference",
    _to("item_id", "item.id", primary=True),
    Column("position", Integer, primary_key=True),
    Column("text", Text, nullable=False),
)

# --- work -------------------------------------------------------------------------------------
seat = _table(  # one person's place in one study: what was gone through, and running counts
    "seat",
    _to("study_id", "study.id", primary=True),
    _to("person_id", "person.id", primary=True),
    Column("work", Text, primary_key=True),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("seconds", REAL_NUMBER, nullable=False, server_default="0"),
    Column("seconds_at_break", REAL_NUMBER, nullable=False, server_default="0"),
    Column("risk_items", Integer, nullable=False, server_default="0"),
    _text("consent_version"),
    Column("consent_at", Text),
    Column("profile", Text),
    Column("guide_at", Text),
    Column("practice_at", Text),
    Column("final_at", Text),
    _one_of("work", "rate", "label"),
)

task = _table(
    "task",
    _key(),
    Column("token", Text, nullable=False, unique=True),
    _to("study_id", "study.id"),
    _to("person_id", "person.id"),
    _to("item_id", "item.id"),
    _text("work", "rate"),
    _text("kind", "main"),
    _text("panel"),  # opaque; the same for every rater of the same set of answers
    Column("position", Integer, nullable=False),
    _to("repeat_of", "task.id", optional=True),
    _text("state", "waiting"),
    Column("opened_at", Text),
    Column("revision", Integer, nullable=False, server_default="0"),
    UniqueConstraint("study_id", "person_id", "work", "position"),
    _one_of("work", "rate", "label"),
    _one_of("kind", "main", "repeat", "check", "calibration"),
    _one_of("state", "waiting", "opened", "done", "skipped", "released", "withdrawn"),
    Index("ix_task_next", "study_id", "person_id", "work", "state", "position"),
    Index("ix_task_item", "item_id"),
)

task_slot = _table(
    "task_slot",
    _to("task_id", "task.id", primary=True),
    Column("slot", Text, primary_key=True),
    _to("answer_id", "answer.id"),
)

draft = _table(
    "draft",
    _to("task_id", "task.id", primary=True),
    Column("sequence", Integer, nullable=False),
    Column("entries", Text, nullable=False),
    Column("at", Text, nullable=False),
)

submission = _table(
    "submission",
    _key(),
    _to("task_id", "task.id"),
    _to("study_id", "study.id"),
    _to("person_id", "person.id"),
    Column("revision", Integer, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),  # of what was sent: a repeated token must match
    Column("outcome", Text, nullable=False),
    _text("skip_reason"),
    _text("note"),
    _text("reason"),
    _text("comment"),
    Column("confidence", Integer),
    _text("layout"),
    _text("input"),
    _text("lang"),
    Column("width", Integer),
    Column("active_seconds", REAL_NUMBER, nullable=False, server_default="0"),
    Column("at", Text, nullable=False),
    UniqueConstraint("task_id", "revision"),
    _one_of("outcome", "scored", "skipped"),
    CheckConstraint("revision >= 1", name="revision_counts_from_1"),
    Index("ix_submission_study", "study_id", "task_id", "revision"),
)

score = _table(
    "score",
    _to("submission_id", "submission.id", primary=True),
    Column("slot", Text, primary_key=True),  # empty for a scale of the whole task
    Column("scale", Text, primary_key=True),
    _to("answer_id", "answer.id", optional=True),
    Column("value", Integer),
    _text("missing_reason"),
    CheckConstraint("(value IS NULL) = (missing_reason <> '')", name="value_or_reason"),
)

flag = _table(
    "flag",
    _key(),
    _to("submission_id", "submission.id"),
    Column("slot", Text, nullable=False),
    _to("answer_id", "answer.id"),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    _text("quote"),
    Column("start", Integer),
    Column("end", Integer),
    Index("ix_flag_submission", "submission_id"),
)

preference = _table(
    "preference",
    _to("submission_id", "submission.id", primary=True),
    Column("choice", Text, nullable=False),
    _to("answer_id", "answer.id", optional=True),
)

step = _table(
    "step",
    _to("submission_id", "submission.id", primary=True),
    Column("slot", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    _to("answer_id", "answer.id"),
    Column("value", Integer, nullable=False),
)

escalation = _table(
    "escalation",
    _key(),
    _to("study_id", "study.id"),
    _to("submission_id", "submission.id"),
    Column("cause", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("ix_escalation_study", "study_id"),
)

escalation_note = _table(
    "escalation_note",
    _key(),
    _to("escalation_id", "escalation.id"),
    Column("action", Text, nullable=False),
    _text("note"),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    _one_of("action", "noted", "handled", "reopened"),
)

guess = _table(
    "guess",
    _key(),
    _to("study_id", "study.id"),
    _to("person_id", "person.id"),
    _to("task_id", "task.id"),
    Column("choice", Text, nullable=False),
    _to("answer_id", "answer.id", optional=True),
    _text("reason"),
    Column("at", Text, nullable=False),
    UniqueConstraint("person_id", "task_id"),
)

practice = _table(
    "practice",
    _key(),
    _to("study_id", "study.id"),
    _to("person_id", "person.id"),
    Column("attempt", Integer, nullable=False),
    Column("item", Text, nullable=False),
    Column("entries", Text, nullable=False),
    Column("right", Integer, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("study_id", "person_id", "attempt", "item"),
)

exclusion = _table(
    "exclusion",
    _key(),
    _to("study_id", "study.id"),
    _to("person_id", "person.id", optional=True),
    _to("item_id", "item.id", optional=True),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
)

label_submission = _table(  # one press of save in the span marker; revisions count over both rounds
    "label_submission",
    _key(),
    _to("task_id", "task.id"),
    _to("study_id", "study.id"),
    _to("person_id", "person.id"),
    Column("round", Text, nullable=False),  # 'model': the machine's proposals were on the screen
    Column("revision", Integer, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("certainty", Integer),
    _text("note"),
    _text("reason"),
    _text("skip_reason"),
    _text("layout"),
    _text("input"),
    _text("lang"),
    Column("width", Integer),
    Column("active_seconds", REAL_NUMBER, nullable=False, server_default="0"),
    Column("at", Text, nullable=False),
    UniqueConstraint("task_id", "revision"),
    _one_of("round", "blind", "model"),
    _one_of("outcome", "labelled", "none", "unsure", "skipped"),
    CheckConstraint("revision >= 1", name="revision_counts_from_1"),
    CheckConstraint("certainty BETWEEN 1 AND 3", name="certainty_is_1_to_3"),
    Index("ix_label_submission_study", "study_id", "task_id", "revision"),
)

label = _table(  # every label of the item, once; `whole`: given to the item without a span
    "label",
    _to("submission_id", "label_submission.id", primary=True),
    Column("label", Text, primary_key=True),
    *_truth("whole"),
    _text("origin", "own"),
    _one_of("origin", "own", "model"),
)

span = _table(  # code points, end exclusive; `quote` is what the server cut out
    "span",
    _to("submission_id", "label_submission.id", primary=True),
    Column("field", Text, primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("end", Integer, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("quote", Text, nullable=False),
    _text("origin", "own"),
    _one_of("origin", "own", "model"),
    _one_of("field", "question", "description"),
    CheckConstraint('start >= 0 AND "end" > start', name="span_holds_something"),
)

proposal = _table(  # a machine's label of an item, perhaps with the words it rests on
    "proposal",
    _key(),
    _to("study_id", "study.id"),
    _to("item_id", "item.id"),
    Column("label", Text, nullable=False),
    _text("field"),
    Column("start", Integer),
    Column("end", Integer),
    _text("source"),
    _text("run"),
    Column("at", Text, nullable=False),
    _one_of("field", "", "question", "description"),
    CheckConstraint(
        """(field = '') = (start IS NULL) AND (start IS NULL) = ("end" IS NULL)""",
        name="evidence_is_whole",
    ),
    CheckConstraint('start >= 0 AND "end" > start', name="evidence_holds_something"),
    Index("ix_proposal_item", "item_id"),
    Index("ix_proposal_study", "study_id"),
)

proposal_answer = _table(  # what an annotator made of a proposal; changed: to which label, where
    "proposal_answer",
    _to("submission_id", "label_submission.id", primary=True),
    _to("proposal_id", "proposal.id", primary=True),
    Column("answer", Text, nullable=False),
    _text("label"),
    _text("field"),
    Column("start", Integer),
    Column("end", Integer),
    _one_of("answer", "confirmed", "changed", "rejected"),
)

# --- trail ------------------------------------------------------------------------------------
audit = _table(  # chain: the study's id as text, or 'system'
    "audit",
    _key(),
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

access_log = _table(
    "access_log",
    _key(),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    _to("study_id", "study.id", optional=True),
    _text("detail"),
)

APPEND_ONLY = (
    "submission", "score", "flag", "preference", "step", "escalation", "escalation_note", "guess",
    "practice", "exclusion", "protocol", "instrument", "audit", "access_log",
    "label_submission", "label", "span", "proposal", "proposal_answer",
)
"""Tables on which the database itself refuses UPDATE and DELETE."""
