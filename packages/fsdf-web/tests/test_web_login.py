"""Who gets in, and who does not."""

import pytest

from fsdf_core.errors import ConfigurationError
from fsdf_core.testing.clock import ManualClock
from fsdf_web.config import WebSettings
from fsdf_web.security.attempts import Attempts
from fsdf_web.security.roles import Role
from fsdf_web.security.sessions import LIFETIME, Sessions
from fsdf_web.security.tokens import Tokens

ADMIN, READER = "the-token-of-admins", "the-token-of-readers"


def test_without_a_token_there_is_no_app(make_app, monkeypatch):
    monkeypatch.delenv("FSDF_WEB_TOKEN", raising=False)
    with pytest.raises(ConfigurationError, match="FSDF_WEB_TOKEN"):
        make_app(token=None, read_token=None)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ({"token": "short"}, "12 characters"),
        ({"token": ADMIN, "read_token": ADMIN}, "the same"),
        ({"token": ADMIN, "no_auth": True, "host": "0.0.0.0"}, "no_auth"),
        ({"token": ADMIN, "port": 70000}, "FSDF_WEB_PORT"),
    ],
)
def test_settings_that_would_let_others_in(make_app, names, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as raised:
        make_app(**{"read_token": None, **names})
    assert ADMIN not in str(raised.value)


def test_settings_do_not_show_their_tokens():
    assert ADMIN not in repr(WebSettings.read(token=ADMIN))


def test_an_empty_variable_is_not_set(monkeypatch):
    monkeypatch.setenv("FSDF_WEB_TOKEN", "")
    monkeypatch.setenv("FSDF_WEB_PORT", "")
    monkeypatch.setenv("FSDF_WEB_LANGUAGE", "")
    found = WebSettings.read()
    assert (found.token, found.port, found.language) == (None, 27018, None)
    assert ADMIN not in repr(Tokens(ADMIN))


@pytest.mark.parametrize("path", ["/", "/audit", "/api/audit", "/api/openapi.json", "/events", "/nowhere", "/api/no"])
def test_nothing_is_told_to_strangers(visit, path):
    answer = visit().get(path)
    assert answer.status_code in {401, 303}
    assert answer.status_code == 401 or answer.headers["location"].startswith("/login")


def test_a_stranger_changes_nothing(visit):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert visit().request(method, "/api/audit").status_code == 401


@pytest.mark.parametrize("token", ["", "x", ADMIN + "x", ADMIN[:-1], "ÿ" * 19])
def test_wrong_tokens(visit, token):
    assert visit(authorization=f"Bearer {token}".encode()).get("/api/audit").status_code == 401
    answer = visit().post("/login", data={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("token", [ADMIN, READER])
def test_a_token_in_the_header(visit, token):
    assert visit(authorization=f"Bearer {token}").get("/api/audit").status_code == 200


def test_the_ready_link_opens_a_session(visit):
    client = visit()
    answer = client.get("/login", params={"token": ADMIN})
    assert answer.status_code == 200
    assert 'content="0;url=/"' in answer.text
    assert client.get("/").status_code == 200


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(visit):
    cookie = visit().post("/login", data={"token": ADMIN}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/;" in cookie + ";"
    assert ADMIN not in cookie


def test_the_cookie_of_https_stays_there(visit):
    client = visit()
    client.base_url = "https://127.0.0.1:27018"
    assert "secure" in client.post("/login", data={"token": ADMIN}).headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a//b"]
)
def test_login_leads_to_no_other_site(visit, target):
    answer = visit().get("/login", params={"token": ADMIN, "next": target})
    assert 'content="0;url=/"' in answer.text


def test_login_leads_back(visit):
    answer = visit().get("/queues?sort=name")
    assert answer.headers["location"] == "/login?next=%2Fqueues%3Fsort%3Dname"
    assert (
        'content="0;url=/queues?sort=name"'
        in visit().post("/login", data={"token": ADMIN, "next": "/queues?sort=name"}).text
    )


def test_guessing_is_stopped(visit, make_app):
    app = make_app()
    guesser = visit(app, "10.0.0.7")
    for number in range(5):
        assert guesser.post("/login", data={"token": f"guess {number}"}).status_code == 401
    answer = guesser.post("/login", data={"token": ADMIN})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert visit(app, "10.0.0.7", authorization=f"Bearer {ADMIN}").get("/api/audit").status_code == 429
    assert visit(app, "10.0.0.8").post("/login", data={"token": ADMIN}).status_code == 200


def test_a_guesser_may_try_again_later():
    clock = ManualClock()
    attempts = Attempts(limit=2, window=60, clock=clock)
    attempts.failed("a")
    clock.advance(30)
    attempts.failed("a")
    assert attempts.wait("a") == 30
    clock.advance(30)
    assert attempts.wait("a") == 0
    attempts.failed("a")
    assert attempts.wait("a") == 30


def test_logging_out_ends_copies_of_the_cookie_too(visit, make_app, log_in):
    app = make_app()
    client = visit(app)
    csrf = log_in(client)
    copy = visit(app, cookie="; ".join(f"{name}={value}" for name, value in client.cookies.items()))
    assert copy.get("/").status_code == 200
    assert client.post("/logout", headers={"x-csrf-token": csrf}).status_code == 204
    assert copy.get("/").status_code == 303


def test_sessions_end(state):
    clock = ManualClock()
    sessions = Sessions(lambda: state, Tokens(ADMIN), clock)
    _, value = sessions.open(Role.READER)
    assert sessions.read(value).role is Role.READER
    clock.advance(LIFETIME + 1)
    assert sessions.read(value) is None


def test_another_process_knows_the_session_and_another_token_ends_it(state):
    _, value = Sessions(lambda: state, Tokens(ADMIN)).open(Role.ADMIN)
    assert Sessions(lambda: state, Tokens(ADMIN)).read(value) is not None
    assert Sessions(lambda: state, Tokens("another-token-of-admins")).read(value) is None


def test_a_forged_cookie(state):
    sessions = Sessions(lambda: state, Tokens(ADMIN))
    _, value = sessions.open(Role.READER)
    text, _, signature = value.partition(".")
    _, other = sessions.open(Role.ADMIN)
    for forged in ("", ".", text, f"{text}.", f"{text}x.{signature}", f"{other.partition('.')[0]}.{signature}", "ÿ.ÿ"):
        assert sessions.read(forged) is None


def test_no_auth_serves_this_machine_only(visit, make_app):
    app = make_app(token=None, read_token=None, no_auth=True)
    assert visit(app).get("/").status_code == 200
    assert visit(app, "10.0.0.7").get("/").status_code == 303
