"""People: who may add, close, reset and forget whom."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import select

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Invalid, Refused, StudyError
from cbt_core.services.people import invitation, roster
from cbt_core.words import sentences
from db import audit
from db import people as stored
from db.backup import scrub
from db.engine import Database
from db.tables.people import identity, person
from db.tables.studies import membership
from db.tables.trail import access_log
from tests.services.peopled import NOW, enter, lead_of, new_person, new_study

NAME, EMAIL = "欧阳 Sentinel-Name", "sentinel.mail@example.org"


def trail(database: Database, study_id: int | None) -> list[tuple[str, str, str]]:
    with database.reading() as connection:
        return [
            (entry.actor, entry.action, entry.payload)
            for entry in audit.entries(connection, study_id)
        ]


# --- adding -----------------------------------------------------------------------------------
def test_a_secret_is_given_once_and_works_as_often_as_needed(database: Database) -> None:
    secret = new_person(database, "r01")
    for _ in range(3):
        assert enter(database, "R01", secret).person.code == "R01"


def test_adding_an_existing_code_adds_the_role_and_gives_no_secret(database: Database) -> None:
    study_id = new_study(database, "one")
    secret = new_person(database, "R01")
    again = roster.add_person(
        database, TERMINAL, code="r01", role=Role.ANNOTATOR, study_id=study_id, now=NOW
    )
    assert again == roster.Issued("R01", None, joined=True)
    assert enter(database, "R01", secret).person.roles == {study_id: {Role.ANNOTATOR}}


def test_adding_the_same_role_twice_changes_nothing(database: Database) -> None:
    study_id = new_study(database, "one")
    new_person(database, "R01", study_id=study_id)
    before = trail(database, study_id)
    again = roster.add_person(database, TERMINAL, code="R01", study_id=study_id, now=NOW)
    assert not again.joined
    assert trail(database, study_id) == before


def test_a_lead_without_a_study_may_create_studies(database: Database) -> None:
    secret = new_person(database, "L01", role=Role.LEAD)
    assert enter(database, "L01", secret).person.may_create_studies


def test_a_role_without_a_study_gives_no_rights(database: Database) -> None:
    me = enter(database, "R01", new_person(database, "R01")).person
    assert not me.may_create_studies
    assert not me.roles


@pytest.mark.parametrize(
    "code",
    ["", "a b", "R/01", "x" * 41, "评定者", "R01\n2", "terminal", "unknown", "ſ", "=R1", "Ⅷ"],
)
def test_a_code_that_is_none_is_refused(database: Database, code: str) -> None:
    with pytest.raises(Invalid):
        roster.add_person(database, TERMINAL, code=code, now=NOW)


def test_a_study_that_does_not_exist_adds_nobody(database: Database) -> None:
    with pytest.raises(StudyError, match="no such study"):
        roster.add_person(database, TERMINAL, code="R01", study_id=77, now=NOW)
    assert roster.list_people(database, TERMINAL, now=NOW) == []


def test_what_happens_to_people_is_in_the_trail_without_secret_or_name(database: Database) -> None:
    study_id = new_study(database, "one")
    new_person(database, "R01", study_id=study_id)
    roster.set_identity(database, TERMINAL, code="R01", name=NAME, email=EMAIL, now=NOW)
    roster.reset(database, TERMINAL, code="R01", now=NOW)
    roster.leave_study(
        database, TERMINAL, code="R01", role=Role.RATER, study_id=study_id, now=NOW
    )
    roster.disable(database, TERMINAL, code="R01", now=NOW)
    roster.forget(database, TERMINAL, code="R01", now=NOW)
    who = '{"person":"R01"}'
    assert trail(database, None) == [
        ("terminal", f"person.{act}", who)
        for act in ("add", "identity", "reset", "disable", "forget")
    ]
    role = '{"person":"R01","role":"rater"}'
    assert trail(database, study_id) == [
        ("terminal", "membership.add", role), ("terminal", "membership.leave", role),
    ]
    with database.reading() as connection:
        assert audit.verify(connection, None) is None


# --- who may ----------------------------------------------------------------------------------
def test_a_lead_adds_people_to_the_own_study_only(database: Database) -> None:
    own, other = new_study(database, "own"), new_study(database, "other")
    lead = lead_of(database, "L01", own)
    assert roster.add_person(database, lead, code="R01", study_id=own, now=NOW).secret
    for study_id in (other, None, 77):
        with pytest.raises(Refused, match="role does not allow"):
            roster.add_person(database, lead, code="R02", study_id=study_id, now=NOW)
    assert [found.code for found in roster.list_people(database, lead, study_id=own, now=NOW)] == [
        "L01", "R01",
    ]


@pytest.mark.parametrize("role", [Role.RATER, Role.ANNOTATOR])
def test_raters_and_annotators_manage_nobody(database: Database, role: Role) -> None:
    own = new_study(database, "own")
    me = enter(database, "P01", new_person(database, "P01", role=role, study_id=own)).person
    new_person(database, "R02", study_id=own)
    acts = [
        lambda: roster.add_person(database, me, code="R03", study_id=own, now=NOW),
        lambda: roster.add_person(database, me, code="P01", role=Role.LEAD, study_id=own, now=NOW),
        lambda: roster.list_people(database, me, study_id=own, now=NOW),
        lambda: roster.list_people(database, me, now=NOW),
        lambda: roster.reset(database, me, code="R02", now=NOW),
        lambda: roster.disable(database, me, code="R02", now=NOW),
        lambda: roster.forget(database, me, code="R02", now=NOW),
        lambda: roster.leave_study(
            database, me, code="R02", role=Role.RATER, study_id=own, now=NOW
        ),
        lambda: roster.identity_of(database, me, code="R02", now=NOW),
        lambda: roster.set_identity(database, me, code="R02", name="x", email="", now=NOW),
    ]
    for act in acts:
        with pytest.raises(Refused):
            act()
    with database.reading() as connection:
        denied = list(
            connection.execute(
                select(access_log.c.action).where(access_log.c.action.like("denied:%"))
            )
        )
    assert len(denied) == len(acts)


def test_disabling_forgetting_and_names_belong_to_the_terminal(database: Database) -> None:
    own = new_study(database, "own")
    lead = lead_of(database, "L01", own)
    new_person(database, "R01", study_id=own)
    for act in (roster.disable, roster.forget, roster.identity_of):
        with pytest.raises(Refused):
            act(database, lead, code="R01", now=NOW)


def test_a_lead_resets_only_people_of_nobody_else(database: Database) -> None:
    own, other = new_study(database, "own"), new_study(database, "other")
    lead = lead_of(database, "L01", own)
    new_person(database, "MINE", study_id=own)
    new_person(database, "BOTH", study_id=own)
    roster.add_person(database, TERMINAL, code="BOTH", study_id=other, now=NOW)
    new_person(database, "NONE")
    new_person(database, "L02", role=Role.LEAD, study_id=own)
    new_person(database, "MAKER", role=Role.LEAD)
    roster.add_person(database, TERMINAL, code="MAKER", study_id=own, now=NOW)
    new_person(database, "SHUT", study_id=own)
    roster.disable(database, TERMINAL, code="SHUT", now=NOW)
    assert roster.reset(database, lead, code="MINE", now=NOW).secret
    for code in ("BOTH", "NONE", "L02", "MAKER", "SHUT"):
        with pytest.raises(Refused):
            roster.reset(database, lead, code=code, now=NOW)


def test_the_person_reads_and_writes_the_own_name(database: Database) -> None:
    me = enter(database, "R01", new_person(database, "R01")).person
    roster.set_identity(database, me, code="R01", name=NAME, email=EMAIL, now=NOW)
    assert roster.identity_of(database, me, code="R01", now=NOW).name == NAME


def test_the_last_lead_cannot_leave(database: Database) -> None:
    own = new_study(database, "own")
    lead = lead_of(database, "L01", own)
    leave = {"role": Role.LEAD, "study_id": own, "now": NOW}
    with pytest.raises(Refused, match="without a lead"):
        roster.leave_study(database, lead, code="L01", **leave)
    lead_of(database, "L02", own)
    assert roster.leave_study(database, lead, code="L01", **leave)
    assert roster.leave_study(database, TERMINAL, code="L02", **leave)


def test_whoever_left_can_join_again(database: Database) -> None:
    own = new_study(database, "own")
    secret = new_person(database, "R01", study_id=own)
    role = {"code": "R01", "role": Role.RATER, "study_id": own, "now": NOW}
    assert roster.leave_study(database, TERMINAL, **role)
    assert not roster.leave_study(database, TERMINAL, **role)
    assert roster.add_person(database, TERMINAL, **role).joined
    assert enter(database, "R01", secret).person.roles == {own: {Role.RATER}}


def test_the_demonstration_s_people_stay_in_it(database: Database) -> None:
    demo, real = new_study(database, "demo", demonstration=True), new_study(database, "real")
    with database.writing() as connection:
        stored.add(connection, code="DEMO-L", secret_hash=None, demonstration=True, now=NOW)
    lead = Person(id=1, code="DEMO-L", demonstration=True, roles={demo: frozenset({Role.LEAD})})
    with pytest.raises(Refused):
        roster.add_person(database, lead, code="R01", study_id=demo, now=NOW)
    with pytest.raises(Refused):
        roster.add_person(database, TERMINAL, code="DEMO-L", study_id=real, now=NOW)
    assert not roster.add_person(database, TERMINAL, code="DEMO-L", role=Role.LEAD, now=NOW).joined
    with pytest.raises(StudyError):
        roster.reset(database, TERMINAL, code="DEMO-L", now=NOW)


# --- closing and forgetting -------------------------------------------------------------------
def test_reset_ends_the_old_secret_and_opens_a_closed_access(database: Database) -> None:
    old = new_person(database, "R01")
    roster.disable(database, TERMINAL, code="R01", now=NOW)
    with pytest.raises(StudyError, match="closed"):
        roster.add_person(database, TERMINAL, code="R01", now=NOW)
    new = roster.reset(database, TERMINAL, code="R01", now=NOW).secret
    assert new
    with pytest.raises(Refused):
        enter(database, "R01", old)
    assert enter(database, "R01", new)


def test_forgetting_keeps_the_code_and_roles_and_closes_the_access_for_good(
    database: Database,
) -> None:
    own = new_study(database, "own")
    secret = new_person(database, "R01", study_id=own)
    assert roster.forget(database, TERMINAL, code="R01", now=NOW).scrubbed
    with pytest.raises(Refused):
        enter(database, "R01", secret)
    with pytest.raises(StudyError, match="forgotten"):
        roster.reset(database, TERMINAL, code="R01", now=NOW)
    found = roster.list_people(database, TERMINAL, now=NOW)[0]
    assert (found.code, found.memberships[0].study_id) == ("R01", own)


def test_nothing_of_a_forgotten_person_is_left_in_the_file(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("a server's files are not ours to read")
    for number in range(50):
        new_or_old = f"R{number:02}"
        with database.writing() as connection:
            stored.add(connection, code=new_or_old, secret_hash="x", now=NOW)
        name = NAME if number == 7 else f"Other {number}"
        email = EMAIL if number == 7 else f"other{number}@example.org"
        roster.set_identity(
            database, TERMINAL, code=new_or_old, name=name, email=email, now=NOW
        )
    roster.set_identity(
        database, TERMINAL, code="R07", name=NAME + "!" * 90, email=EMAIL, now=NOW
    )
    assert hits(database.path) > 0
    forgotten = roster.forget(database, TERMINAL, code="R07", now=NOW)
    assert forgotten.scrubbed
    assert hits(database.path) == 0
    with database.reading() as connection:
        assert connection.execute(select(identity.c.person_id)).all()  # the others stayed
        assert audit.verify(connection, None) is None


def hits(path: Path) -> int:
    """Count the traces of the person in everything that lies beside the database."""
    found = 0
    for file in path.parent.glob(f"{path.name}*"):
        content = file.read_bytes()
        found += content.count(NAME.encode()) + content.count(EMAIL.encode())
    return found


def test_a_busy_file_is_told_not_to_be_scrubbed(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("SQLite only")
    new_person(database, "R01")
    database.close()
    moved = database.path.rename(database.path.with_suffix(".gone"))
    database.path.mkdir()
    assert scrub(database) is False
    database.path.rmdir()
    moved.rename(database.path)


def test_a_list_shows_no_name(database: Database) -> None:
    own = new_study(database, "own")
    secret = new_person(database, "R01", study_id=own)
    enter(database, "R01", secret)
    roster.set_identity(database, TERMINAL, code="R01", name=NAME, email=EMAIL, now=NOW)
    listed = roster.list_people(database, TERMINAL, now=NOW)
    assert NAME not in repr(listed)
    assert listed[0].last_seen_at == "2026-11-23T08:00:00.000000Z"


def test_ended_roles_are_rows_still(database: Database) -> None:
    own = new_study(database, "own")
    new_person(database, "R01", study_id=own)
    roster.leave_study(database, TERMINAL, code="R01", role=Role.RATER, study_id=own, now=NOW)
    with database.reading() as connection:
        joined = membership.join(person, person.c.id == membership.c.person_id)
        rows = connection.execute(select(person.c.code, membership.c.left_at).select_from(joined))
        assert [tuple(row) for row in rows] == [("R01", "2026-11-23T08:00:00.000000Z")]


# --- invitation -------------------------------------------------------------------------------
def sheet(language: str, **changed: str) -> invitation.Invitation:
    values = {"code": "R01", "secret": "7KQ4-M2XD-9RTB-E5HN", "address": "http://127.0.0.1:8501",
              "study": "睡眠与压力", "contact": "李老师 010-0000"} | changed
    return invitation.invitation(language=language, **values)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_invitation_says_all_one_needs(language: str) -> None:
    for written in (invitation.as_text(sheet(language)), invitation.as_html(sheet(language))):
        for needed in ("R01", "7KQ4-M2XD-9RTB-E5HN", "http://127.0.0.1:8501", "睡眠与压力",
                       "李老师 010-0000", "109", "15.4", "360", "请在浏览器中打开"):
            assert needed in written
        assert "{" not in invitation.as_text(sheet(language))


def test_an_invitation_is_html_without_anything_from_elsewhere() -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[tuple[str, list[tuple[str, str | None]]]] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.seen.append((tag, attrs))

    hostile = '"><script src=//evil></script><img src=x onerror=alert(1)>'
    tags = Tags()
    tags.feed(invitation.as_html(sheet("zh", study=hostile, contact=hostile, code=hostile)))
    names = {tag for tag, _ in tags.seen}
    assert not names & {"script", "img", "link", "iframe", "a"}
    assert all(name in {"lang", "charset", "name", "content", "class"}
               for _, attrs in tags.seen for name, _ in attrs)


def test_an_invitation_without_study_or_contact_reads_whole() -> None:
    written = invitation.as_text(sheet("en", study="", contact=""))
    assert "ask the person who gave you this sheet" in written
    assert "“”" not in written


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "concord.local", "http://"])
def test_an_invitation_needs_an_address_a_browser_opens(address: str) -> None:
    with pytest.raises(Invalid):
        sheet("en", address=address)


def test_the_sentences_of_access_and_people_exist_in_both_languages() -> None:
    keys = [
        {key for key in sentences(language) if key.startswith(("access.", "people."))}
        for language in ("en", "zh")
    ]
    assert keys[0] == keys[1]
    assert len(keys[0]) > 40
