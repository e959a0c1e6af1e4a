"""The routes of signing in, asked as a browser asks, and as a stranger's page would."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime

import pytest
from httpx import Response
from sqlalchemy import insert, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Conflict, Invalid, NotSaved, Refused, StudyError
from cbt_core.routes import access, headers
from cbt_core.routes import access as doors
from cbt_core.routes.common import COOKIE, Handler, json_route
from cbt_core.services.people import roster
from cbt_core.settings import Settings
from db import people
from db import people as stored
from db.columns import stamp
from db.engine import Database
from db.tables.people import person, session
from db.tables.studies import study
from db.tables.trail import access_log
from tests.services.peopled import NOW, new_person

HERE = "http://127.0.0.1:8501"
ORIGIN = {"Origin": HERE}
SENTINEL = "患者原话-SENTINEL"

Answer = Mapping[str, object]


def echo(_d: Database, who: Person, body: Mapping[str, object], _now: datetime) -> Answer:
    return {"code": who.code, "body": dict(body)}


def fails(error: Exception) -> Handler:
    def handler(_d: Database, _p: Person, _b: Mapping[str, object], _now: datetime) -> Answer:
        raise error

    return handler


def browser(database: Database, settings: Settings, **more: object) -> TestClient:
    errors: dict[str, Exception] = {
        "refused": Refused("access.not_allowed"),
        "invalid": Invalid("access.unknown_language", missing=(("A", "relevance"), (None, "x"))),
        "conflict": Conflict("access.secret_changed"),
        "full": NotSaved("storage.full"),
        "plain": StudyError("people.no_study"),
        "locked": Refused("rating.locked"),
        "unknown": Refused("rating.unknown_task"),
        "fault": RuntimeError(SENTINEL),
    }
    routes = doors.routes(database, settings)
    routes.append(json_route("/api/echo", echo, database=database, settings=settings))
    routes += [
        json_route(f"/api/{name}", fails(error), database=database, settings=settings)
        for name, error in errors.items()
    ]
    app = Starlette(routes=routes, middleware=[Middleware(headers.SecurityHeaders)])
    values = {"base_url": HERE, "follow_redirects": False, "client": ("203.0.113.5", 50000)}
    return TestClient(app, **(values | more))  # type: ignore[arg-type]


@pytest.fixture
def settings() -> Settings:
    return Settings(database="")


@pytest.fixture
def client(database: Database, settings: Settings) -> TestClient:
    access.crowd.cache_clear()
    return browser(database, settings)


@pytest.fixture
def secret(database: Database) -> str:
    return new_person(database, "R01")


def sign_in(client: TestClient, code: str, secret: str, **headers: str) -> Response:
    return client.post("/sign-in", data={"code": code, "secret": secret}, headers=ORIGIN | headers)


# --- signing in -------------------------------------------------------------------------------
def test_signing_in_sets_a_cookie_scripts_cannot_read(client: TestClient, secret: str) -> None:
    answer = sign_in(client, "r01", secret)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert "Secure" not in cookie
    assert client.post("/api/echo", json={"x": "甲"}, headers=ORIGIN).json() == {
        "code": "R01", "body": {"x": "甲"},
    }


@pytest.mark.parametrize(
    "settings",
    [
        Settings(database="", secure_cookie=True, base_path="/desk"),
        Settings(database="", public_origin="https://rate.example.org", base_path="/desk"),
    ],
)
def test_behind_tls_and_a_base_path_the_cookie_keeps_to_them(
    client: TestClient, settings: Settings, secret: str
) -> None:
    origin = {"Origin": settings.public_origin or HERE}
    answer = client.post("/desk/sign-in", data={"code": "R01", "secret": secret}, headers=origin)
    assert answer.headers["location"] == "/desk/"
    assert "Secure" in answer.headers["set-cookie"]
    assert "Path=/desk" in answer.headers["set-cookie"]


def test_a_token_planted_before_signing_in_is_worthless(client: TestClient, secret: str) -> None:
    client.cookies.set(COOKIE, "planted", domain="127.0.0.1", path="/")
    answer = sign_in(client, "R01", secret)
    assert "planted" not in answer.headers["set-cookie"]
    client.cookies.clear()
    client.cookies.set(COOKIE, "planted")
    assert client.post("/api/echo", json={}, headers=ORIGIN).status_code == 401


def test_a_wrong_secret_comes_back_with_a_code_only(client: TestClient, secret: str) -> None:
    answer = sign_in(client, "R01", SENTINEL)
    assert answer.headers["location"] == "/?refused=wrong"
    assert "set-cookie" not in answer.headers
    assert sign_in(client, SENTINEL, secret).headers["location"] == "/?refused=wrong"


def test_a_disabled_person_is_told_so(client: TestClient, database: Database, secret: str) -> None:
    roster.disable(database, TERMINAL, code="R01", now=NOW)
    assert sign_in(client, "R01", secret).headers["location"] == "/?refused=disabled"


def test_who_has_to_wait_is_told_how_long(client: TestClient, secret: str) -> None:
    for _ in range(5):
        sign_in(client, "R01", "wrong")
    location = sign_in(client, "R01", secret).headers["location"]
    assert location in {"/?refused=wait&seconds=5", "/?refused=wait&seconds=4"}


def test_every_attempt_is_in_the_access_log_and_none_holds_what_was_typed(
    client: TestClient, database: Database, secret: str
) -> None:
    sign_in(client, "R01", "wrong")
    sign_in(client, f"x\r\n{SENTINEL}", "wrong")
    sign_in(client, "R01", secret)
    client.post("/sign-out", headers=ORIGIN)
    with database.reading() as connection:
        rows = connection.execute(select(access_log)).all()
    log = [(row.actor, row.action, row.detail) for row in rows]
    assert log == [
        ("R01", "sign-in:wrong", ""), ("unknown", "sign-in:wrong", ""), ("R01", "sign-in", ""),
        ("R01", "sign-out", ""),
    ]


def test_too_many_at_once_are_asked_to_come_back(
    client: TestClient, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cbt_core.routes.access.WAITING", 0)
    location = sign_in(client, "R01", secret).headers["location"]
    assert location == "/?refused=wait&seconds=5"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"code": "R01"}', "application/json", 415),
        (b"code=R01&secret=x", "text/plain", 415),
        (b"code=" + b"x" * 9000, "application/x-www-form-urlencoded", 413),
        (b"a=1&" * 60 + b"b=2", "application/x-www-form-urlencoded", 400),
        ("code=评".encode(), "application/x-www-form-urlencoded", 400),
        (b"code=%FF%FE&secret=x", "application/x-www-form-urlencoded", 400),
        (b"", "application/x-www-form-urlencoded", 303),
    ],
)
def test_what_is_no_small_form_is_refused(
    client: TestClient, content: bytes, kind: str, status: int
) -> None:
    answer = client.post("/sign-in", content=content, headers=ORIGIN | {"Content-Type": kind})
    assert answer.status_code == status


def test_a_get_signs_nobody_in(client: TestClient, secret: str) -> None:
    answer = client.get("/sign-in", params={"code": "R01", "secret": secret}, headers=ORIGIN)
    assert answer.status_code == 405


def test_the_language_of_the_page_then_of_the_browser_is_kept(
    client: TestClient, database: Database, secret: str
) -> None:
    sign_in(client, "R01", secret, **{"Accept-Language": "en-GB,en;q=0.8"})
    with database.reading() as connection:
        assert connection.execute(select(person.c.language)).scalar_one() == "en"
    answer = client.post("/api/language", json={"language": "zh"}, headers=ORIGIN)
    assert answer.json() == {"language": "zh"}
    with database.reading() as connection:
        assert connection.execute(select(person.c.language)).scalar_one() == "zh"
    refused = client.post("/api/language", json={"language": 7}, headers=ORIGIN)
    assert refused.status_code == 422
    assert "无法读取" in refused.json()["error"]["message"]


# --- signing out ------------------------------------------------------------------------------
def test_signing_out_ends_the_session_and_drops_the_cookie(
    client: TestClient, database: Database, secret: str
) -> None:
    sign_in(client, "R01", secret)
    token = client.cookies[COOKIE]
    answer = client.post("/sign-out", headers=ORIGIN)
    assert answer.status_code == 303
    assert "Max-Age=0" in answer.headers["set-cookie"]
    client.cookies.set(COOKIE, token)
    assert client.post("/api/echo", json={}, headers=ORIGIN).status_code == 401


def test_signing_out_everywhere_ends_the_other_browser_too(
    client: TestClient, database: Database, settings: Settings, secret: str
) -> None:
    other = browser(database, settings)
    for each in (client, other):
        sign_in(each, "R01", secret)
    client.post("/sign-out-everywhere", headers=ORIGIN)
    assert other.post("/api/echo", json={}, headers=ORIGIN).status_code == 401


def test_whoever_is_signed_out_can_sign_out(client: TestClient) -> None:
    for path in ("/sign-out", "/sign-out-everywhere"):
        assert client.post(path, headers=ORIGIN).status_code == 303


def test_a_new_passphrase_keeps_this_browser_and_ends_the_other(
    client: TestClient, database: Database, settings: Settings, secret: str
) -> None:
    other = browser(database, settings)
    for each in (client, other):
        sign_in(each, "R01", secret)
    body = {"old": secret, "new": "木棉 lantern 江河"}
    assert client.post("/api/passphrase", json=body, headers=ORIGIN).json() == {"changed": True}
    assert client.post("/api/echo", json={}, headers=ORIGIN).status_code == 200
    assert other.post("/api/echo", json={}, headers=ORIGIN).status_code == 401
    assert sign_in(other, "R01", body["new"]).headers["location"] == "/"


def test_a_weak_passphrase_is_refused_in_words(client: TestClient, secret: str) -> None:
    sign_in(client, "R01", secret, **{"Accept-Language": "en"})
    answer = client.post("/api/passphrase", json={"old": secret, "new": "x"}, headers=ORIGIN)
    assert answer.status_code == 422
    said = answer.json()["error"]["message"]
    assert said == "The passphrase is too short: at least 8 characters."


# --- whose page asks --------------------------------------------------------------------------
FOREIGN = [
    {}, {"Origin": "null"}, {"Origin": "https://evil.example"},
    {"Origin": "https://127.0.0.1:8501"}, {"Origin": "http://127.0.0.1:9999"},
    {"Origin": "http://localhost:8501"}, {"Origin": "http://127.0.0.1:8501.evil.example"},
    {"Origin": "http://evil.example:8501", "Host": "evil.example:8501"},  # DNS rebinding
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-in/demonstration", "/sign-out", "/sign-out-everywhere"]
)
def test_a_form_of_another_site_is_refused(
    client: TestClient, secret: str, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, data={"code": "R01", "secret": secret}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/api/echo", "/api/language", "/api/passphrase"])
def test_a_call_of_another_site_is_refused_and_changes_nothing(
    client: TestClient, secret: str, path: str, headers: dict[str, str]
) -> None:
    sign_in(client, "R01", secret)
    answer = client.post(path, json={"language": "en"}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "access.foreign_origin"
    assert "access-control-allow-origin" not in answer.headers


def test_a_server_with_a_public_name_believes_that_name(
    database: Database, secret: str
) -> None:
    settings = Settings(database="", public_origin="https://rate.example.org")
    client = browser(database, settings)
    name = {"Origin": "https://rate.example.org", "Host": "rate.example.org"}
    answer = client.post("/sign-in", data={"code": "R01", "secret": secret}, headers=name)
    assert answer.headers["location"] == "/"


def test_the_throttle_counts_the_address_the_proxy_saw(database: Database, secret: str) -> None:
    settings = Settings(database="", public_origin="https://rate.example.org")
    client = browser(database, settings, client=("127.0.0.1", 50000))

    def attempt(address: str, typed: str) -> str:
        headers = {"Origin": "https://rate.example.org", "X-Forwarded-For": f"1.1.1.1, {address}"}
        form = {"code": "R01", "secret": typed}
        return client.post("/sign-in", data=form, headers=headers).headers["location"]

    for _ in range(5):
        attempt("203.0.113.9", "wrong")
    assert attempt("203.0.113.9", secret).startswith("/?refused=wait")
    assert attempt("198.51.100.1", secret) == "/"


# --- JSON -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
        (b"{}", "application/json; charset=utf-8", 200),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"x": NaN}', "application/json", 400),
        (b"\xff\xfe\xfd", "application/json", 400),
        (b'{"x":' + b"[" * 100_000, "application/json", 400),
        (b'{"x": "' + b"a" * 262_144 + b'"}', "application/json", 413),
        (b'{"x": "\\ud83d"}', "application/json", 422),
        (b'{"x": [{"y\\u0000": 1}]}', "application/json", 422),
        (b'{"x": "\\ud83d\\ude00 \\\\u0000"}', "application/json", 200),
    ],
)
def test_only_small_storable_json_objects_are_read(
    client: TestClient, secret: str, content: bytes, kind: str, status: int
) -> None:
    sign_in(client, "R01", secret)
    answer = client.post("/api/echo", content=content, headers=ORIGIN | {"Content-Type": kind})
    assert answer.status_code == status


def test_a_body_that_hides_its_length_is_cut_off(client: TestClient, secret: str) -> None:
    sign_in(client, "R01", secret)

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 16_384

    answer = client.post(
        "/api/echo", content=endless(), headers=ORIGIN | {"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("refused", 403, "access.not_allowed"),
        ("invalid", 422, "access.unknown_language"),
        ("conflict", 409, "access.secret_changed"),
        ("full", 503, "storage.full"),
        ("plain", 400, "people.no_study"),
        ("locked", 423, "rating.locked"),
        ("unknown", 404, "rating.unknown_task"),
    ],
)
def test_every_kind_of_refusal_has_its_status(
    client: TestClient, secret: str, name: str, status: int, code: str
) -> None:
    sign_in(client, "R01", secret)
    answer = client.post(f"/api/{name}", json={}, headers=ORIGIN)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["cache-control"] == "no-store"
    if name == "invalid":
        assert answer.json()["error"]["missing"] == [
            {"slot": "A", "scale": "relevance"}, {"slot": None, "scale": "x"},
        ]


def test_a_fault_tells_a_code_and_logs_no_word(
    client: TestClient, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    sign_in(client, "R01", secret)
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/api/fault", json={"x": SENTINEL}, headers=ORIGIN)
    error = answer.json()["error"]
    assert answer.status_code == 500
    assert error["id"] in error["message"]
    assert error["id"] in caplog.text
    assert "RuntimeError" in caplog.text
    assert SENTINEL not in answer.text + caplog.text
    assert "Traceback" not in answer.text + caplog.text


def test_without_a_session_nothing_is_done(client: TestClient) -> None:
    answer = client.post(
        "/api/fault", json={}, headers=ORIGIN | {"Accept-Language": "en"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "access.signed_out")
    assert "Sign in again" in answer.json()["error"]["message"]


def test_a_session_that_is_over_answers_401(
    client: TestClient, database: Database, secret: str
) -> None:
    sign_in(client, "R01", secret)
    with database.writing() as connection:
        connection.execute(session.update().values(seen_at=stamp(NOW.replace(year=2020))))
    assert client.post("/api/echo", json={}, headers=ORIGIN).status_code == 401


# --- demonstration ----------------------------------------------------------------------------
def demonstration(database: Database) -> None:
    with database.writing() as connection:
        values = {"slug": "demo", "title": "demo", "created_at": stamp(NOW), "demonstration": 1}
        row = connection.execute(insert(study).returning(study.c.id), values)
        study_id = int(row.scalar_one())
        for role in Role:
            who = stored.add(
                connection, code=f"DEMO-{role}".upper(), secret_hash=None, demonstration=True,
                now=NOW,
            )
            people.join(connection, study_id=study_id, person_id=who, role=role, now=NOW)


@pytest.mark.parametrize("role", list(Role))
def test_a_button_enters_the_demonstration(
    client: TestClient, database: Database, role: Role
) -> None:
    demonstration(database)
    answer = client.post("/sign-in/demonstration", data={"role": role.value}, headers=ORIGIN)
    assert answer.headers["location"] == "/"
    found = client.post("/api/echo", json={}, headers=ORIGIN).json()
    assert found["code"] == f"DEMO-{role}".upper()


def test_the_button_is_closed_beside_a_real_study(client: TestClient, database: Database) -> None:
    demonstration(database)
    with database.writing() as connection:
        values = {"slug": "real", "title": "real", "created_at": stamp(NOW)}
        connection.execute(insert(study), values)
    for role in ("rater", "admin", ""):
        answer = client.post("/sign-in/demonstration", data={"role": role}, headers=ORIGIN)
        assert answer.headers["location"] == "/?refused=closed"
        assert "set-cookie" not in answer.headers


# --- headers ----------------------------------------------------------------------------------
def test_every_answer_says_what_a_browser_may_do_with_it(client: TestClient) -> None:
    for answer in (client.get("/nothing"), client.post("/sign-out", headers=ORIGIN)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_the_policy_names_no_other_host() -> None:
    policy = headers.policy("127.0.0.1:8501")
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "*" not in policy
    assert "http" not in policy
    assert "ws://127.0.0.1:8501" in policy
