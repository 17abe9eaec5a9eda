"""The console's pages, the API and the command line, here and far away, over one state: they tell people the same."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.port import QueueStats
from bellhop.broker.topology import work_queue
from bellhop.cli.main import main
from bellhop.console.api.app import create_api_app, mount
from bellhop.console.api.tokens import hash_token, new_token
from bellhop.ingest.again import RefusedTaker
from bellhop.ledger.breaker import FAILURES
from bellhop.ledger.records import JobState, RefusedPost, Role, Verdict
from bellhop.ledger.records.accounts import Ended, Permit
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import decode, encode
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.schemas.reasons import Reason
from bellhop.vendors.settings import read_config
from tests.support.console import Console
from tests.support.ledger import event, letter

LATER = datetime(2099, 12, 24, 10, tzinfo=UTC)
"""A start to come, by the clock of the test as by that of the command line."""
_VOID = ("img", "input", "link", "meta", "br", "hr")


class Needs(HTMLParser):
    """What the first page tells to need a person: of each item its attributes, address and words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.items: list[dict[str, str]] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "li" and "data-kind" in given:
            self.items.append({name.removeprefix("data-"): value for name, value in given.items()} | {"why": ""})
            self._inside = "li"
        elif self._inside and tag == "a":
            self.items[-1]["path"] = given["href"]
        elif self._inside and tag == "time":
            label = "since" if "since" in self.items[-1] or self._inside == "why" else "starts"
            self.items[-1].setdefault(label, given["datetime"])
        elif self._inside:
            self._inside = {"strong": "title", "span": "why" if "left" not in given.get("class", "") else "li"}[tag]

    def handle_endtag(self, tag: str) -> None:
        if tag == "li":
            self._inside = ""
        elif self._inside:
            self._inside = "li"

    def handle_data(self, data: str) -> None:
        if self._inside in ("title", "why"):
            item = self.items[-1]
            item[self._inside] = item.get(self._inside) or data.strip()


class Texts(HTMLParser):
    """The texts of a page's elements of one tag, in order."""

    def __init__(self, page: str, tag: str) -> None:
        super().__init__()
        self._tag = tag
        self._open = False
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == self._tag:
            self._open = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._tag:
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[-1] += data


class Faces:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.console = Console(folder, "second_approver = true")
        self.ledger = self.console.ledger
        pulse, settings = self.console.parts.pulse, self.console.settings
        parts, file = self.console.parts, folder / "bellhop.toml"
        taker = RefusedTaker(lambda: read_config(file, {}).settings, lambda: parts.publisher, self.ledger.event)
        parts.take_refused = taker.take
        api = create_api_app(
            settings, self.ledger, self.console.broker, now=self.console.clock, pulse=pulse, take_refused=taker.take
        )
        mount(self.console.app, api)
        self._token = new_token()
        self.ledger.people.add_token("faces", Role.OPERATOR, hash_token(self._token), "ann")
        self._server = make_server("127.0.0.1", 0, self.console.app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        monkeypatch.chdir(folder)
        monkeypatch.setenv("BELLHOP_TOKEN", self._token)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.console.close()

    def page(self, path: str) -> str:
        return self.console.viewer.get(path)

    def api(self, path: str) -> Any:
        answer = self.console.app.test_client().get(
            f"/api/v1{path}", headers={"Authorization": f"Bearer {self._token}"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json

    def here(self, *words: str) -> str:
        self._monkeypatch.setattr(sys, "argv", ["bellhop", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        assert ended.value.code == 0, err
        return out

    def far(self, *words: str) -> str:
        return self.here("--server", f"http://127.0.0.1:{self._server.server_port}", *words)

    # --- states -------------------------------------------------------------------------------------------------

    def queues(self, **ready: int) -> None:
        """So many messages lie in these queues, as far as the broker tells."""
        known = EmbeddedBroker.stats

        def stats(broker: EmbeddedBroker) -> dict[str, QueueStats]:
            return {**known(broker), **{name: QueueStats(count, 0, None) for name, count in ready.items()}}

        self._monkeypatch.setattr(EmbeddedBroker, "stats", stats)

    def broker_away(self) -> None:
        def stats(_broker: EmbeddedBroker) -> dict[str, QueueStats]:
            raise BrokerUnavailable("connection refused")

        self._monkeypatch.setattr(EmbeddedBroker, "stats", stats)

    def dead(self) -> None:
        gone = event("x-1", subject="R-9", not_after=LATER)
        self.ledger.letters.archive([replace(letter(gone), not_after=LATER)])

    def in_doubt(self) -> None:
        self.ledger.letters.archive([letter(event("x-2", subject="R-8"), Reason.IN_DOUBT)])

    def stopped_job(self) -> None:
        """And sixty newer ones that go on."""
        for number in range(61):
            job = self.ledger.jobs.create("replay", [(1, Verdict.WOULD_APPLY)], "ann", "mended")
            if number == 0:
                self.ledger.jobs.finish(job.id, JobState.STOPPED, "letter 1 died again of the same cause")

    def open_breaker(self) -> None:
        for _ in range(FAILURES):
            self.ledger.accounts.release(Permit("sb", "", 0.0, False), Ended.AWAY, error="no route to host")

    def refused_account(self) -> None:
        for _ in range(FAILURES):
            self.ledger.accounts.release(Permit("sb", "", 0.0, False), Ended.REFUSED, error="Wrong API key")

    def paused_route(self) -> None:
        self.ledger.pauses.pause("members", "ann", "the vendor asked")

    def edit(self) -> None:
        (number, *_) = self.console.dead(1)
        found = self.ledger.letters.get(number)
        assert found is not None
        envelope = decode(found.new.body)
        changed = {**envelope.data, "client": {"name": "Grace Hopper", "email": ""}, "services": []}
        self.ledger.edits.propose(number, "bob", "the wrong guest", encode(replace(envelope, data=changed)))


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Faces]:
    made = Faces(tmp_path, monkeypatch, capsys)
    yield made
    made.close()


def everything(faces: Faces) -> None:
    for build in (faces.in_doubt, faces.dead, faces.stopped_job, faces.open_breaker, faces.paused_route, faces.edit):
        build()
    faces.queues(unroutable=2, dead=3)


STATES: dict[str, tuple[Callable[[Faces], None], Sequence[tuple[str, str, int]]]] = {
    "nothing": (lambda faces: None, []),
    "dead letters": (Faces.dead, [("letters", "", 1)]),
    "letters in doubt": (Faces.in_doubt, [("in_doubt", "", 1)]),
    "one stopped job behind sixty newer ones": (Faces.stopped_job, [("job", "1", 1)]),
    "an account that is away": (Faces.open_breaker, [("account", "sb", 1)]),
    "an account whose credentials are refused": (Faces.refused_account, [("account", "sb", 1)]),
    "a paused route": (Faces.paused_route, [("route", "members", 1)]),
    "an edit to approve": (Faces.edit, [("edit", "1", 1), ("letters", "", 1)]),
    "unroutable messages": (lambda faces: faces.queues(unroutable=2), [("unroutable", "", 2)]),
    "dead letters not archived": (lambda faces: faces.queues(dead=3), [("unarchived", "", 3)]),
    "a broker that is away": (Faces.broker_away, [("broker", "", 1)]),
    "everything": (
        everything,
        [
            *(("account", "sb", 1), ("edit", "1", 1), ("in_doubt", "", 1), ("job", "1", 1), ("letters", "", 2)),
            *(("route", "members", 1), ("unarchived", "", 3), ("unroutable", "", 2)),
        ],
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_every_face_tells_the_same_to_need_a_person(faces: Faces, name: str) -> None:
    build, expected = STATES[name]
    build(faces)
    faces.console.parts.pulse.beat()
    told: list[dict[str, Any]] = faces.api("/attention")["rows"]
    assert sorted((row["kind"], row["name"], row["count"]) for row in told) == sorted(expected)
    assert json.loads(faces.here("attention", "--json")) == told
    assert json.loads(faces.far("attention", "--json")) == told
    shown = ("kind", "name", "severity", "title", "path", "why")
    on_page = Needs(faces.page("/")).items
    assert [{key: item[key] for key in shown} for item in on_page] == [{key: row[key] for key in shown} for row in told]
    assert [int(item["count"]) for item in on_page] == [row["count"] for row in told]
    beside = [row for row in told if row["kind"] not in ("letters", "in_doubt")]
    assert faces.api("/overview")["needs"] == [row | {"what": row["kind"]} for row in beside]
    table = faces.here("attention")
    assert table == faces.far("attention")
    assert all(row["title"] in table and row["why"][:20] in table for row in told)  # what is long is folded


def test_every_face_masks_the_same_of_a_letter(faces: Faces) -> None:
    faces.console.dead(1)
    told = faces.api("/letters/1")
    assert told["data"]["client"] == {"name": "***", "email": "***"}
    assert json.loads(faces.here("dead", "show", "1", "--json")) == told
    assert json.loads(faces.far("dead", "show", "1", "--json")) == told
    page = faces.page("/letters/1")
    on_page = [json.loads(text) for text in Texts(page, "pre").found]
    assert on_page[0] == told["data"]
    assert told["evidence"] in on_page
    assert "Ada" not in page + str(told)
    rows = faces.api("/letters")["rows"]
    assert json.loads(faces.here("dead", "list", "--json")) == json.loads(faces.far("dead", "list", "--json")) == rows


def test_every_face_masks_the_same_of_an_edit_and_of_a_timeline(faces: Faces) -> None:
    faces.edit()
    (edit,) = faces.api("/edits")["rows"]
    page = faces.page("/edits")
    changes = {one["field"]: (one["before"], one["after"]) for one in edit["changes"]}
    assert changes["data.client.name"] == ("***", "***")
    assert changes["data.client.email"] == ("***", "")
    service = {"service_id": "1", "provider_id": "2", "start": "2026-12-24T10:00:00+00:00", "count": 1}
    assert changes["data.services.0"] == (service, None)
    befores = [str(one["before"]) for one in edit["changes"] if one["before"] is not None]
    afters = [str(one["after"]) for one in edit["changes"] if one["after"] is not None]
    assert (Texts(page, "del").found, Texts(page, "ins").found) == (befores, afters)
    rows = faces.api("/timeline?source=crm&id=e-1")["rows"]
    way = faces.page("/event?source=crm&id=e-1")
    details = [row["detail"] for row in rows if row["detail"] is not None]
    assert [json.loads(text) for text in Texts(way, "pre").found] == details
    titles = [row["title"] for row in rows]
    assert [text for text in Texts(way, "strong").found if text in titles] == titles
    assert not {"Ada", "Grace"} & set((page + way + str(edit) + str(rows)).replace('"', " ").split())


def test_every_face_tells_the_same_of_jobs_and_routes(faces: Faces) -> None:
    faces.stopped_job()
    faces.paused_route()
    told = faces.api("/jobs/1")
    assert json.loads(faces.here("jobs", "show", "1", "--json")) == json.loads(faces.far("jobs", "show", "1", "--json"))
    assert json.loads(faces.here("jobs", "show", "1", "--json")) == told
    assert told["detail"] in faces.page("/jobs/1")
    routes = faces.api("/routes")["rows"]
    assert json.loads(faces.here("routes", "list", "--json")) == routes
    assert [row["route"] for row in routes if row["pause"]] == ["members"]
    assert faces.page("/routes").count("the vendor asked") == 1


# --- refused posts ------------------------------------------------------------------------------------------------

_SOURCE = """
[sources.crm]
verifier = "bearer"
secrets = ["a-secret-of-twenty-characters"]
unknown = "{unknown}"
"""


def _refuse(faces: Faces, *numbers: int) -> None:
    for number in numbers:
        start = {"service_id": 1, "start": "2099-12-24T10:00:00"}
        data = {
            "booking_id": f"R-{number}",
            "venue": "salon",
            "client": {"name": "Ada"},
            "services": [start],
            "table": 7,
        }
        body = {"type": "booking.requested", "timestamp": "2026-11-21T11:00:00Z", "data": data}
        at = utc_now()  # by the clock of the command line
        post = RefusedPost(
            *("crm", f"d{number}", 422, "invalid-event", "The event breaks its contract."),
            *((("data.table", "unknown field"),), "application/json", 300, '{"type": "Aaa"}', at, at),
            content=json.dumps(body).encode(),
            signed_id=f"msg-{number}",
        )
        faces.ledger.refusals.enter([post])


def test_refused_posts_are_taken_from_console_api_and_command_once_their_cause_is_mended(
    faces: Faces, tmp_path: Path
) -> None:
    file = tmp_path / "bellhop.toml"
    plain = file.read_text()
    file.write_text(plain + _SOURCE.format(unknown="refuse"))
    _refuse(faces, 1, 2, 3, 4)
    (cause,) = json.loads(faces.here("refused", "causes", "--json"))
    assert json.loads(faces.far("refused", "causes", "--json")) == [cause]
    assert faces.api("/refused-posts/causes")["rows"] == [cause]
    assert (cause["posts"], cause["problems"]) == (4, [{"field": "data.table", "rule": "unknown field"}])
    page = faces.page("/refused")
    assert f'data-cause="{cause["cause"]}"' in page
    assert "Ada" not in page

    numbers = [str(row["number"]) for row in reversed(json.loads(faces.here("refused", "--json")))]
    operator = faces.console.ann
    form = {"source": "crm", "cause": cause["cause"], "why": "unknown fields are taken"}
    assert "4 refused still. data.table unknown field" in operator.post("/refused", form)

    file.write_text(plain + _SOURCE.format(unknown="warn"))
    assert faces.far("refused", "take", "--dry-run") == "would be: 4 taken\n"
    assert faces.far("refused", "take", "--number", numbers[0], "--why", "mended") == "1 taken\n"
    assert faces.here("refused", "take", "crm", "--number", numbers[1], "--why", "mended") == "1 taken\n"
    assert "2 taken: in the queue now" in operator.post("/refused", form)
    assert faces.here("refused", "take", "--why", "mended") == "none waits: `bellhop refused causes` lists what does\n"

    deliveries = faces.console.broker.consumer(work_queue("bookings.simplybook"), 9).take(9, 5)
    taken = [decode(one.message.body) for one in deliveries]
    assert [(one.id, one.subject, one.warnings) for one in taken] == [
        (f"msg-{number}", f"R-{number}", ("data.table: is unknown: left out",)) for number in (1, 2, 3, 4)
    ]
    acts = [(row.act, row.what) for row in faces.ledger.letters.audit_page(10).rows]
    assert acts[:-1] == [("take refused", "2 refused posts"), *[("take refused", "1 refused post")] * 2]
    assert "taken" in faces.page("/refused")
