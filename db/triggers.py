"""Triggers that make the append-only tables append-only, for SQLite and PostgreSQL."""

from collections.abc import Iterator

FUNCTION = """
CREATE OR REPLACE FUNCTION concord_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'append-only table'; END $$
"""


def statements(backend: str, tables: tuple[str, ...]) -> Iterator[str]:
    """Yield the statements that forbid UPDATE and DELETE on these tables."""
    if backend == "postgresql":
        yield FUNCTION
    for table in tables:
        for act in ("UPDATE", "DELETE"):
            name = f"{table}_no_{act.lower()}"
            if backend == "postgresql":
                yield (
                    f'CREATE TRIGGER "{name}" BEFORE {act} ON "{table}" '
                    "FOR EACH ROW EXECUTE FUNCTION concord_append_only()"
                )
            else:
                yield (
                    f'CREATE TRIGGER "{name}" BEFORE {act} ON "{table}" '
                    "BEGIN SELECT RAISE(ABORT, 'append-only table'); END"
                )


APPEND_ONLY = (
    "submission", "score", "flag", "preference", "step", "escalation", "escalation_note", "guess",
    "practice", "exclusion", "protocol", "instrument", "audit", "access_log",
    "label_submission", "label", "span", "proposal", "proposal_answer",
    "adjudication", "adjudication_label", "adjudication_span", "proposal_pass",
    "metric_score", "judge_score", "source_agreement",
)
"""Tables on which the database itself refuses UPDATE and DELETE."""
