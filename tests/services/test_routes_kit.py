"""The route of the task screens' scripts: open to anyone, kept for good, one version at a time."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from cbt_core.http import routes as all_routes
from cbt_core.routes import headers, kit
from cbt_core.settings import Settings
from db.engine import Database


def client_of(settings: Settings) -> TestClient:
    app = Starlette(
        routes=kit.routes(settings), middleware=[Middleware(headers.SecurityHeaders)]
    )
    return TestClient(app)


@pytest.fixture
def client() -> TestClient:
    return client_of(Settings(database=""))


def test_a_module_comes_without_a_session_and_is_kept_for_good(client: TestClient) -> None:
    answer = client.get(f"{kit.path()}/task/net.js")
    assert answer.status_code == 200
    assert answer.content == (kit.FOLDER / "task" / "net.js").read_bytes()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_a_browser_that_asks_again_is_told_it_has_it(client: TestClient) -> None:
    address = f"{kit.path()}/rating_sheet/face.js"
    tag = client.get(address).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):  # a proxy that compresses weakens it
        again = client.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.get(f"{kit.path()}/task/net.js").headers["etag"] != tag


def test_a_repeated_attempt_has_an_address_of_its_own(client: TestClient) -> None:
    assert client.get(f"{kit.path()}-1/task/net.js").status_code == 200


@pytest.mark.parametrize("address", [
    "/concord/kit/0123456789abcdef/task/net.js",  # another version
    "{path}/task/none.js",
    "{path}/task/__init__.py",
    "{path}/task/../../session.py",
    "{path}/task/%2e%2e/%2e%2e/session.py",
    "{path}//etc/passwd",
    "{path}/account/account.js",
    "{path}/",
])
def test_nothing_else_is_given_and_no_refusal_is_kept(client: TestClient, address: str) -> None:
    answer = client.get(address.format(path=kit.path()))
    assert answer.status_code == 404
    assert answer.headers.get("cache-control", "no-store") == "no-store"


def test_the_path_goes_behind_the_server_s_prefix() -> None:
    client = client_of(Settings(database="", base_path="/desk"))
    assert client.get(f"/desk{kit.path()}/task/net.js").status_code == 200
    assert client.get(f"{kit.path()}/task/net.js").status_code == 404


def test_the_app_has_the_route(database: Database) -> None:
    paths = [getattr(route, "path", "") for route in all_routes(database, Settings(database=""))]
    assert "/concord/kit/{version:str}/{name:path}" in paths


def test_any_change_of_any_module_is_a_new_path_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kit.path()
    for name, content in kit.modules().items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content + (b" " if name == "task/net.js" else b""))
    monkeypatch.setattr(kit, "FOLDER", tmp_path)
    try:
        forget()
        client = client_of(Settings(database=""))
        assert kit.path() != before
        assert client.get(f"{kit.path()}/task/dom.js").status_code == 200
        assert client.get(f"{before}/task/dom.js").status_code == 404
    finally:
        forget()


def forget() -> None:
    kit.modules.cache_clear()
    kit.digest.cache_clear()
