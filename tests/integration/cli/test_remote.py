"""`bellhop --server`: the same words and exit codes far away as here."""

from __future__ import annotations

import io
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Response, request
from werkzeug.serving import make_server, make_ssl_devcert

from bellhop.broker.topology import work_queue
from bellhop.cli import follow, job_desks, remote
from bellhop.console.access.passwords import matches
from bellhop.ledger.records import ItemState, LetterFilter, Role, Verdict
from bellhop.letters.bulk import JobRunner
from bellhop.letters.preflight import WORDS
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import decode
from bellhop.schemas.reasons import Reason
from tests.support.api import Api
from tests.support.command_line import Run, runner
from tests.support.ledger import event, finish
from tests.support.service import wait_for


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    one = Api(tmp_path)
    yield one
    one.close()


@pytest.fixture
def url(api: Api) -> Iterator[str]:
    with api.served() as address:
        yield address


@pytest.fixture
def run(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return _here(api, monkeypatch, capsys)


def _here(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, stdout, stderr."""
    return runner(api.folder, monkeypatch, capsys)


@pytest.fixture
def far(run: Run, api: Api, url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    return _there(run, api, url, monkeypatch)


def _there(run: Run, api: Api, url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BELLHOP_TOKEN", api.tokens[Role.ADMIN])
    return lambda *words: run("--server", url, *words)


def _same(run: Run, far: Run, *words: str) -> tuple[int, str, str]:
    here = run(*words)
    assert far(*words) == here
    return here


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, str]]:
    """With something of everything, and its address; for what only looks, or is refused."""
    api = Api(tmp_path_factory.mktemp("filled"))
    api.dead(2)
    api.dead(1, Reason.IN_DOUBT)
    finish(api.ledger, event("e-9", "member.updated"))
    api.post("/jobs", {"ids": [1], "why": "mended"})
    api.post("/users", {"name": "ann", "role": "operator"}, Role.ADMIN)
    api.ledger.pauses.pause("pulls", "ann", "it is ill")
    api.get("/queues", Role.ADMIN)  # notes the token's use, which the list of tokens tells
    with api.served() as address:
        yield api, address
    api.close()


@pytest.mark.parametrize(
    "words",
    [
        ("dead", "list"),
        ("dead", "list", "--json"),
        ("dead", "list", "--limit", "2", "--json"),
        ("dead", "list", "--reason", "in_doubt"),
        ("dead", "list", "3", "1", "--since", "2026-11-21", "--until", "2026-11-22", "--json"),
        ("dead", "list", "--state", "discarded"),
        ("dead", "list", *map(str, range(1, 450)), "--json"),
        ("dead", "list", *map(str, range(1, 450)), "--limit", "2"),
        ("dead", "show", "1"),
        ("dead", "show", "1", "--json"),
        ("dead", "show", "4711"),
        ("dead", "replay", "--reason", "rejected", "--dry-run", "--json"),
        ("dead", "causes"),
        ("dead", "preflight", "--all"),
        ("dead", "preflight", "1", "2", "--json"),
        ("dead", "search", "ada"),
        ("dead", "search", "R-1", "--json"),
        ("dead", "list", "--text", "ada lee"),
        ("dead", "list", "--text", "nobody", "--json"),
        ("dead", "list", "--cause", "zzzz"),
        ("dead", "notes", "1"),
        ("dead", "notes", "4711"),
        ("dead", "assign", "4711", "--to", "ann"),
        ("dead", "resolve", "zzzz"),
        ("dead", "edit", "4711", "--set", "notes=x", "--why", "x", "--yes"),
        ("dead", "discard", "4711", "--why", "x", "--yes"),
        ("audit", "verify"),
        ("audit", "verify", "--json"),
        ("audit", "verify", "--noted", f"1:{'0' * 64}"),
        ("audit", "export"),
        ("audit", "export", "--after", "1"),
        ("forget", "--dry-run", "nobody@example.com"),
        ("forget", "--dry-run", "--json", "ada@example.com"),
        ("forget", "ada@example.com", "--yes", "--why", "ada@example.com wrote"),
        ("forget", "ada@example.com", "--yes", "--why", "she asked"),
        ("dead", "audit"),
        ("dead", "audit", "--json"),
        ("events", "show", "crm", "e-1"),
        ("events", "show", "crm", "e-1", "--json"),
        ("events", "show", "crm", "no/where"),
        ("events", "show", "crm", ".."),
        ("events", "show", "crm", "\N{GRINNING FACE} 100%/../x?y#z"),
        ("attention",),
        ("attention", "--json"),
        ("queues",),
        ("queues", "--json"),
        ("routes", "list"),
        ("routes", "list", "--json"),
        ("routes", "resume", "members", "--why", "x"),
        ("jobs", "list"),
        ("jobs", "list", "--json"),
        ("jobs", "show", "1"),
        ("jobs", "show", "1", "--items", "waiting", "--json"),
        ("jobs", "show", "4711"),
        ("jobs", "resume", "1", "--why", "x"),
        ("jobs", "pause", "4711", "--why", "x"),
        ("tokens", "list"),
        ("tokens", "revoke", "4711"),
        ("dead", "replay", "--yes"),
        ("accounts",),
        ("accounts", "--json"),
        ("users", "list"),
        ("users", "list", "--json"),
        ("users", "change", "nobody", "--role", "viewer"),
        ("users", "add", "token 5", "--password-stdin"),
        ("tokens", "list", "--json"),
        ("routes", "pause", "members", "--why", "x", "--until", "2020-01-01"),
    ],
)
def test_what_is_asked_far_away_is_answered_as_here(
    filled: tuple[Api, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    api, url = filled
    run = _here(api, monkeypatch, capsys)
    _same(run, _there(run, api, url, monkeypatch), *words)


def test_letters_are_discarded_and_restored_far_away(api: Api, far: Run) -> None:
    api.dead(2)
    assert far("dead", "discard", "--all", "--why", "a test", "--yes") == (0, "discarded 2 of 2\n", "")
    assert far("dead", "restore", "2", "--why", "no test", "--yes", "--json")[:2] == (0, '{\n  "restored": 1\n}\n')
    assert [letter.id for letter in api.ledger.letters.find(LetterFilter(), 9)] == [2]
    assert [row.who for row in api.ledger.audit(1)] == ["token 3 admins"]


def test_a_replay_far_away_is_a_job_and_says_what_came_of_it(
    api: Api, far: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "LOOK_SECONDS", 0.01)
    api.dead(2)
    with _worked(api):
        code, out, err = far("dead", "replay", "1", "--why", "mended", "--yes", "--wait", "0")
        # Nothing says that it was replayed while nobody knows its end.
        assert (code, out) == (1, "job 1: running\nreplayed 0 of 1\n")
        assert "job 1 is still running: 1 sent and not ended" in err
        with _done(api):
            code, out, _ = far("jobs", "follow", "1", "--wait", "20s")
        assert (code, out.splitlines()[-2:]) == (0, ["replayed 1 of 1", "  1: done: done"])
        api.ledger.letters.discard([2], "ann", "a test")
    (job,) = api.get("/jobs")["rows"]
    assert (job["why"], job["who"]) == ("mended", "token 3 admins")


def test_a_replay_that_a_job_leaves_out_is_told_and_exit_code_1(
    api: Api, far: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "LOOK_SECONDS", 0.01)
    api.dead(1)
    finish(api.ledger, event("e-2", subject="R-1", at=60))  # a newer event of its booking
    with _worked(api):
        code, out, err = far("dead", "replay", "1", "--why", "mended", "--yes")
    assert (code, out) == (1, "replayed 0 of 1\n")
    assert err == f"bellhop: 1 left out: {WORDS[Verdict.SUPERSEDED]}\n"


def test_routes_are_held_and_resumed_far_away(api: Api, far: Run) -> None:
    code, told, _ = far("routes", "pause", "members", "--why", "it is ill")
    assert (code, told.startswith("members is paused: nothing of it is begun any more")) == (0, True)
    assert [(pause.route, pause.who) for pause in api.ledger.pauses.all()] == [("members", "token 3 admins")]
    assert far("routes", "resume", "members", "--why", "it is well") == (0, "members is resumed\n", "")
    assert far("routes", "retry-now", "members", "--why", "x") == (0, "0 messages of members are retried now\n", "")


def test_tokens_are_made_here_and_far_away(api: Api, run: Run, far: Run) -> None:
    for at in (run, far):
        code, out, err = at("tokens", "add", "dashboard")
        assert (code, out[:3], len(out.strip())) == (0, "bh_", 46)
        assert "shown this once" in err
        number = err.split()[1]
        headers = {"Authorization": f"Bearer {out.strip()}"}
        assert api.client.get("/queues", headers=headers).status_code == 200
        assert at("tokens", "revoke", number)[1] == f"token {number} of dashboard is revoked\n"
        assert api.client.get("/queues", headers=headers).status_code == 401


def test_what_goes_wrong_far_away_is_one_line(api: Api, run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = api.folder / "token"
    viewer.write_text(api.tokens[Role.VIEWER] + "\n")
    api.dead(1)
    cases = [
        (2, "needs an API token", ("--server", url, "dead", "list")),
        (2, "No such file", ("--server", url, "--token-file", "nowhere", "dead", "list")),
        (2, "console's address", ("--server", "bellhop", "--token-file", "token", "dead", "list")),
        (2, "--server is for", ("--server", url, "work")),
        (2, "--who is for this host", ("--server", url, "--token-file", "token", "dead", "discard", "1", "--why", "x",
                                       "--yes", "--who", "me")),
        (1, "role operator", ("--server", url, "--token-file", "token", "dead", "discard", "1", "--why", "x", "--yes")),
        (1, "there is no console at", ("--server", "http://127.0.0.1:9", "--token-file", "token", "queues")),
        (1, "not as Bellhop does", ("--server", f"{url}/elsewhere", "--token-file", "token", "queues")),
    ]  # fmt: skip
    for code, text, words in cases:
        ended, out, err = run(*words)
        assert (ended, out, err.count("\n"), text in err) == (code, "", 1, True), (words, err)
    monkeypatch.setenv("BELLHOP_TOKEN", "bh_" + "x" * 43)
    ended, out, err = run("--server", url, "queues")
    assert (ended, out, err.count("\n"), "this API token is none" in err) == (1, "", 1, True)
    assert "xxx" not in err


def test_the_server_may_be_named_by_the_environment(
    api: Api, far: Run, run: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.dead(1)
    monkeypatch.setenv("BELLHOP_SERVER", url)
    assert run("dead", "list", "--json") == far("dead", "list", "--json")
    assert "dead letter 4711" in run("dead", "show", "4711")[2]
    for words in (
        ("doctor",),
        ("call", "sb", "getEventList"),
        ("pull", "sb"),
        ("sources", "try", "a", "b"),
        ("send", "x"),
    ):
        code, _, err = run(*words)
        assert (code, err) == (2, f"bellhop: `bellhop {words[0]}` works on Bellhop's own host only, and BELLHOP_SERVER "
                                  "names another: unset it\n")  # fmt: skip
    assert run("ingest", "--help")[0] == 0


def test_users_are_made_and_changed_far_away(api: Api, far: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert far("users", "add", "bob/ann", "--role", "operator", "--password-stdin") == (
        0,
        "user bob/ann, operator\n",
        "",
    )
    kept = api.ledger.people.user("bob/ann")
    assert kept is not None
    assert matches("correct horse battery", kept.password_hash)
    code, out, _ = far("users", "change", "bob/ann", "--role", "viewer", "--disable")
    assert (code, out) == (0, "user bob/ann, viewer, shut out; their sessions have ended\n")
    assert far("users", "sign-out", "bob/ann") == (0, "0 sessions of bob/ann ended\n", "")
    assert far("users", "add", "bob/ann")[::2] == (
        1, "bellhop: there is a user bob/ann already; bellhop users change bob/ann\n"
    )  # fmt: skip
    assert far("users", "remove", "bob/ann")[:2] == (0, "user bob/ann is removed; their sessions have ended\n")
    assert api.ledger.people.users() == []


def test_tokens_that_end_and_routes_held_for_a_while_are_told_from_now(api: Api, run: Run, far: Run) -> None:
    before = datetime.now(UTC)
    for at in (run, far):
        code, out, _ = at("tokens", "add", "x", "--until", "90d", "--json")
        made = json.loads(out)
        assert code == 0
        assert before + timedelta(days=89) < datetime.fromisoformat(made["expires"]) < before + timedelta(days=91)
    assert run("routes", "pause", "members", "--why", "x", "--until", "2h")[0] == 0
    (pause,) = api.ledger.pauses.all()
    assert pause.until is not None
    assert pause.until > before


@pytest.mark.parametrize("ends_meanwhile", [False, True])
def test_a_replay_whose_answer_is_lost_is_one_job_and_is_followed_through_an_outage(
    api: Api, far: Run, monkeypatch: pytest.MonkeyPatch, ends_meanwhile: bool
) -> None:
    monkeypatch.setattr(follow, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(remote, "_AGAIN_SECONDS", (0.0, 0.0))
    api.dead(1)
    lost, looked = [False], [0]

    @api.app.after_request
    def lose(response: Response) -> Response:
        if (request.method, request.path) == ("POST", "/jobs") and not lost[0]:
            lost[0] = True
            if ends_meanwhile:
                wait_for(lambda: api.ledger.jobs.get(1).counts.get(ItemState.WAITING, 0) == 0, "it is sent")
            return Response("<html>gateway</html>", 502)
        if request.path.startswith("/jobs/"):
            looked[0] += 1
            return Response("away", 503) if looked[0] in (1, 2) else response
        return response

    with _worked(api), _done(api):
        replayed = far("dead", "replay", "1", "--why", "mended", "--yes", "--wait", "20")
        assert replayed == (0, "job 1: done\nreplayed 1 of 1\n  1: done: done\n", "")
    assert (lost, len(api.get("/jobs")["rows"])) == ([True], 1)
    assert looked[0] >= 3


def test_a_job_that_goes_out_of_sight_is_said_to_go_on(api: Api, far: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_desks, "_MISS_SECONDS", 0.0)
    api.dead(1)

    @api.app.after_request
    def away(response: Response) -> Response:
        return Response("away", 503) if request.path.startswith("/jobs/") else response

    code, out, err = far("dead", "replay", "1", "--why", "mended", "--yes")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "job 1 is still running" in err


@pytest.mark.parametrize("where", ["here", "far"])
def test_what_is_in_doubt_is_left_out_unless_somebody_says_so(api: Api, run: Run, far: Run, where: str) -> None:
    at = run if where == "here" else far
    api.dead(1, Reason.IN_DOUBT)
    api.dead(1)
    code, out, err = at("dead", "replay", "1", "--why", "nothing is booked", "--yes")
    assert (code, out) == (1, "replayed 0 of 1\n")
    assert "bellhop dead there" in err
    assert api.ledger.jobs.page(9).rows == []
    with _worked(api), _done(api):
        code, out, err = at("dead", "replay", "--all", "--why", "mended", "--yes", "--wait", "20")
        assert (code, out) == (1, "job 1: done\nreplayed 1 of 1\n  2: done: done\n")
        assert "1 left out: in doubt" in err
        code, out, _ = at("dead", "replay", "1", "--in-doubt", "--why", "nothing is booked", "--yes", "--wait", "20")
        assert (code, out.splitlines()[:2]) == (0, ["job 2: done", "replayed 1 of 1"])


def test_what_became_of_a_replay_is_told_far_away_and_here(api: Api, run: Run, far: Run) -> None:
    api.dead(2)
    with _worked(api), _done(api):
        replayed = far("dead", "replay", "1", "--why", "mended", "--yes", "--wait", "20")
        assert replayed == (0, "job 1: done\nreplayed 1 of 1\n  1: done: done\n", "")
        replayed = run("dead", "replay", "2", "--why", "mended", "--yes", "--wait", "20")
        assert replayed == (0, "job 2: done\nreplayed 1 of 1\n  2: done: done\n", "")


@pytest.mark.parametrize("where", ["here", "far"])
def test_a_cause_is_taken_in_hand_noted_upon_and_acted_on_by_its_key(api: Api, run: Run, far: Run, where: str) -> None:
    at = run if where == "here" else far
    api.dead(2)
    api.dead(1, Reason.AUTH)
    rows = json.loads(at("dead", "causes", "--json")[1])
    assert [(row["count"], row["life"]["state"], row["advice"]["label"]) for row in rows] == [
        (2, "new", "Replay"), (1, "new", "Replay"),
    ]  # fmt: skip
    key = rows[0]["key"]
    code, out, _ = at("dead", "acknowledge", key[:5], "--why", "asked the salon")
    assert (code, out.startswith(f"cause {key} is acknowledged by ")) == (0, True)
    assert at("dead", "snooze", key, "--until", "2h")[:2][0] == 0
    assert at("dead", "snooze", key)[0] == 2  # until when?
    assert at("dead", "resolve", key)[1].startswith(f"cause {key} is resolved")
    assert at("dead", "reopen", key)[:2] == (0, f"cause {key} is new\n")
    assert at("dead", "assign", "--cause", key, "--to", "ben")[:2] == (0, "2 dead letters assigned to ben\n")
    assert [row["assignee"] for row in json.loads(at("dead", "list", "--json")[1])] == ["ben", "ben", ""]
    assert at("dead", "notes", "1", "they call back")[1].endswith("they call back\n1 note\n")
    table = at("dead", "list", "--cause", key)[1]
    assert "salon" in table
    assert "A*** L***" in table
    assert "Ada" not in table
    with _worked(api), _done(api):
        code, out, _ = at("dead", "replay", "--cause", key, "--why", "mended", "--yes", "--wait", "20s")
    assert (code, "replayed 2 of 2" in out) == (0, True)


@pytest.mark.parametrize("where", ["here", "far"])
def test_a_letter_is_edited_by_the_path_of_a_field(api: Api, run: Run, far: Run, where: str) -> None:
    at = run if where == "here" else far
    api.dead(1)
    code, out, err = at(
        "dead", "edit", "1", "--set", "services.0.provider_id=7", "--set", "notes=by the window", "--why", "w", "--yes"
    )
    assert (code, err) == (0, "")
    assert "data.services.0.provider_id: 2 -> 7" in out
    assert "edit 1 of dead letter 1 was replayed" in out
    for words, told in (
        (("--set", "services.9.start=x"), "there is no such place"),
        (("--set", "notes"), "must be FIELD=VALUE"),
        (("--set", "venue=spa"), "is none that may be edited"),
    ):
        api.dead(1)
        code, _, err = at("dead", "edit", str(api.ledger.letters.ids(LetterFilter())[0]), *words, "--why", "w", "--yes")
        assert (code > 0, told in err) == (True, True), (words, err)


@contextmanager
def _answering(body: bytes, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers everything so; its address."""

    def app(_environ: object, start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [("Content-Type", "application/json")])
        return [body]

    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("body", [b'{"ok": true}', b"[]", b"<html>", b"[" * 100_000, b"\xff"])
def test_another_server_is_said_to_be_none_of_ours(run: Run, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setenv("BELLHOP_TOKEN", "bh_" + "x" * 43)
    with _answering(body) as address:
        code, out, err = run("--server", address, "dead", "list")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "console's address" in err or "is the server a Bellhop" in err


def test_a_certificate_that_nobody_vouches_for_is_said_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BELLHOP_TOKEN", "bh_" + "x" * 43)
    certificate, key = make_ssl_devcert(str(tmp_path / "own"), cn="127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _answering(b"{}", context) as address:
        code, out, err = run("--server", address, "queues")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "its certificate is not trusted (self" in err
    assert "SSL_CERT_FILE" in err
    with _answering(b"{}") as address:
        code, _, err = run("--server", address.replace("http", "https"), "queues")
    assert (code, "is it https at all" in err) == (1, True)


@contextmanager
def _worked(api: Api) -> Iterator[None]:
    """`bellhop archive`'s job runner, in a thread."""
    stop, publisher = threading.Event(), api.broker.publisher()
    runner = JobRunner(api.ledger, publisher, api.settings, by="w-1", clock=Clock(now=api.clock))

    def run() -> None:
        while not stop.wait(0.01):
            runner.step()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()
    publisher.close()


@contextmanager
def _done(api: Api) -> Iterator[None]:
    """A worker, in a thread, for which everything is done."""
    stop = threading.Event()

    def run() -> None:
        consumer = api.broker.consumer(work_queue("bookings.simplybook"), 10)
        while not stop.is_set():
            for delivery in consumer.take(10, 0.05):
                finish(api.ledger, decode(delivery.message.body), detail="done")
                consumer.ack([delivery])
        consumer.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_a_row_is_json_that_programs_can_read(api: Api, far: Run) -> None:
    api.dead(1)
    (row,) = json.loads(far("dead", "list", "--json")[1])
    assert (row["id"], row["event_id"], row["died"]) == (1, "e-1", "2026-11-21T12:00:00Z")


def test_a_guest_is_forgotten_from_afar_by_the_admin_who_saw_what_goes(run: Run, far: Run, api: Api) -> None:
    api.dead(1)
    code, out, _ = far("forget", "ada@example.com", "--json", "--dry-run")
    assert code == 0
    seen = json.loads(out)
    assert seen["open_letters"] == [1]
    code, _, said = far("forget", "ada@example.com", "--yes", "--why", "she asked")
    assert (code, "1 open dead letter (1)" in said) == (1, True)
    code, out, _ = far("forget", "ada@example.com", "--yes", "--why", "she asked", "--also-open")
    assert (code, out.startswith("erased what")) == (0, True)
    act = json.loads(far("audit", "export")[1].splitlines()[-1])
    assert (act["act"], act["why"], act["who"].startswith("token ")) == ("forget", "she asked", True)
    assert "ada@" not in json.dumps(act)
    assert run("audit", "verify")[0] == 0
    assert far("forget", "ada@example.com", "--yes", "--why", "x", "--who", "ann")[0] == 2
