"""Tables of what machines did: long runs, automatic scores, judges; and which texts may go out."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text, UniqueConstraint

from db.columns import REAL_NUMBER, new_table, one_of, refers, row_key, text, truth

run = new_table(  # one long job, detached from the page that started it
    "run",
    row_key(),
    Column("code", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    refers("study_id", "study.id", optional=True),
    Column("actor", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("config", Text, nullable=False),  # JSON; never a key, never a person's words
    Column("folder", Text, nullable=False),
    Column("pid", Integer),
    *truth("stop_asked"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("cost", REAL_NUMBER),
    text("message"),  # a code of cbt_core.words, with its values as JSON
    Column("created_at", Text, nullable=False),
    Column("heartbeat_at", Text),
    Column("ended_at", Text),
    one_of("kind", "generation", "detection", "dataset", "training", "metrics", "judge"),
    one_of("status", "waiting", "running", "stopped", "finished", "failed"),
    CheckConstraint("done >= 0 AND failed >= 0 AND total >= 0", name="counts_are_counts"),
    Index("ix_run_study", "study_id"),
)

metric_score = new_table(  # one automatic metric of one answer (BLEU, chrF, BERTScore, ...)
    "metric_score",
    row_key(),
    refers("study_id", "study.id"),
    refers("answer_id", "answer.id"),
    Column("metric", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("value", REAL_NUMBER),
    text("reason"),
    Column("at", Text, nullable=False),
    UniqueConstraint("answer_id", "metric", "signature"),
    Index("ix_metric_score_study", "study_id"),
)

judge_score = new_table(  # a model asked the raters' questions; never mixed with people's scores
    "judge_score",
    row_key(),
    refers("study_id", "study.id"),
    refers("answer_id", "answer.id"),
    Column("judge", Text, nullable=False),
    Column("scale", Text, nullable=False),
    Column("value", Integer),
    text("reason"),
    Column("prompt", Text, nullable=False),  # digest
    Column("instrument", Text, nullable=False),  # digest
    text("run"),
    Column("at", Text, nullable=False),
    UniqueConstraint("answer_id", "judge", "scale"),
    Index("ix_judge_score_study", "study_id"),
)

source_agreement = new_table(  # who may send texts of a source to the hosts the server lists
    "source_agreement",
    row_key(),
    Column("source", Text, nullable=False),
    Column("may_leave", Text, nullable=False),
    Column("agreement", Text, nullable=False),
    Column("valid_until", Text),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    one_of("may_leave", "no", "listed"),
    Index("ix_source_agreement_source", "source"),
)
