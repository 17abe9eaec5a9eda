"""Alerts over real sockets, out of a real ledger: who is told what, once, whatever dies or is away."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from standardwebhooks import Webhook

from bellhop.ledger.records import LetterFilter
from bellhop.ledger.store import Ledger
from bellhop.letters.alerts.facts import trial_alert
from bellhop.letters.alerts.messages import AlertNotice
from bellhop.letters.alerts.post import AlertPosts, AlertUnsent
from bellhop.letters.alerts.run import Alerting, try_receiver
from bellhop.letters.attention import attention, check_broker
from bellhop.schemas.clock import Clock as SchemaClock
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings.alerts import AlertReceiver
from bellhop.vendors.settings import build
from tests.support.ledger import Clock, event, letter, sqlite_ledger
from tests.support.service import free_port
from tests.support.sink import Sink, serving
from tests.support.smtp import MailSink

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BROKER: Any = SimpleNamespace(stats=dict)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with serving(Sink()) as made:
        yield made


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with MailSink() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    made = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=90 * 86400, second_approver=False, now=clock)
    yield made
    made.close()


def receivers(**named: dict[str, Any]) -> dict[str, AlertReceiver]:
    return dict(build({"alerts": {name: {"wait": "10s", **keys} for name, keys in named.items()}}).alerts)


class Archive:
    """What an archive does of alerts, one step at a time."""

    def __init__(self, ledger: Any, clock: Clock, named: dict[str, AlertReceiver], by: str = "a") -> None:
        self.clock = clock
        steady = SchemaClock(now=clock, monotonic=lambda: clock().timestamp())
        post = AlertPosts(Redactor([]))
        self.alerting = Alerting(
            ledger, BROKER, named, post, by=by, public_url="https://bellhop.example.test/", clock=steady
        )
        self.names = list(named)

    def step(self, seconds: float = 0) -> None:
        self.clock.advance(seconds=seconds)
        self.alerting.look()
        for name in self.names:
            self.alerting.send(name)


def bury(ledger: Ledger, *ids: str) -> None:
    """Dead letters of one cause."""
    ledger.letters.archive([letter(event(id_)) for id_ in ids])


def texts(sink: Sink) -> list[str]:
    return [post.json["text"] for post in sink.posts]


def test_many_letters_of_one_cause_are_one_message_and_their_end_another(
    ledger: Ledger, clock: Clock, sink: Sink
) -> None:
    archive = Archive(ledger, clock, receivers(team={"kind": "slack", "url": sink.url}))
    bury(ledger, *(f"e-{number}" for number in range(26)))
    archive.step()
    assert texts(sink) == []
    archive.step(10)
    (told,) = texts(sink)
    assert "26 dead letters" in told
    assert "https://bellhop.example.test/letters?reason=rejected" in told
    for _ in range(5):
        archive.step(60)
    ledger.letters.discard(ledger.letters.ids(LetterFilter()), "ann", "done by hand")
    archive.step(1)
    archive.step(10)
    assert len(sink.posts) == 2
    assert "Over: 26 dead letters" in texts(sink)[1]
    archive.step(60)
    assert len(sink.posts) == 2
    assert ledger.alerts.all() == []


def test_a_restart_tells_nothing_twice_and_of_two_archives_one_tells(ledger: Ledger, clock: Clock, sink: Sink) -> None:
    named = receivers(team={"kind": "slack", "url": sink.url})
    first, second = Archive(ledger, clock, named, "a"), Archive(ledger, clock, named, "b")
    bury(ledger, "e-1")
    for _ in range(4):
        first.step(5)
        second.step()
    assert len(sink.posts) == 1
    restarted = Archive(ledger, clock, named, "c")
    clock.advance(seconds=60)  # the one that looked is gone
    for _ in range(4):
        restarted.step(5)
    assert len(sink.posts) == 1


def test_who_dies_after_sending_and_before_noting_it_sends_again_under_the_same_incident(
    ledger: Ledger, clock: Clock, sink: Sink
) -> None:
    archive = Archive(ledger, clock, receivers(oncall={"kind": "pagerduty", "routing_key": "r" * 32, "url": sink.url}))
    bury(ledger, "e-1")
    archive.step()
    clock.advance(seconds=10)
    archive.alerting.look()
    (row,) = ledger.alerts.claim("oncall")  # sent by a process that died
    archive.step(59)
    assert sink.posts == []
    archive.step(2)
    (post,) = sink.posts
    assert post.json["dedup_key"] == row.incident
    assert post.json["routing_key"] == "r" * 32


def test_a_dead_receiver_is_shown_and_told_to_the_others_and_holds_up_none(
    ledger: Ledger, clock: Clock, sink: Sink
) -> None:
    dead = f"http://127.0.0.1:{free_port()}/"
    archive = Archive(
        ledger,
        clock,
        receivers(dead={"kind": "slack", "url": dead}, team={"kind": "slack", "url": sink.url}),
    )
    bury(ledger, "e-1")
    archive.step()
    for _ in range(12):
        archive.step(30)
    shown = [item for item in attention(ledger, check_broker(BROKER), clock()) if item.need == "receiver"]
    assert [(item.title, item.why) for item in shown] == [
        ("Alerts do not reach dead", "could not be reached (it refuses connections)")
    ]
    assert len([text for text in texts(sink) if "dead letter" in text]) == 1
    assert len([text for text in texts(sink) if "Alerts do not reach dead" in text]) == 1


def test_a_receiver_that_comes_back_is_told_what_still_stands_once(ledger: Ledger, clock: Clock, sink: Sink) -> None:
    sink.statuses = [500, 404, 429, 302, 200]
    archive = Archive(ledger, clock, receivers(team={"kind": "slack", "url": sink.url}))
    bury(ledger, "e-1")
    archive.step()
    for _ in range(20):
        archive.step(60)
    assert len([text for text in texts(sink) if "1 dead letter " in text]) == 5  # four were refused
    (row,) = ledger.alerts.all()
    assert row.told is not None
    assert not row.error


def test_that_the_ledger_is_away_is_told_from_memory_and_that_it_is_back(
    ledger: Ledger, clock: Clock, sink: Sink
) -> None:
    archive = Archive(ledger, clock, receivers(team={"kind": "slack", "url": sink.url}))
    is_away = [True]
    kept = ledger.alerts.all

    def all_() -> Any:
        if is_away[0]:
            raise LedgerUnavailable("away")
        return kept()

    ledger.alerts.all = all_  # type: ignore[method-assign]
    for _ in range(4):
        with pytest.raises(LedgerUnavailable):
            archive.step(5)
        archive.alerting.send("team")
    assert [text.splitlines()[0] for text in texts(sink)] == ["*[critical] The ledger is away*"]
    is_away[0] = False
    archive.step(5)
    archive.step(60)
    assert [text.splitlines()[0] for text in texts(sink)][1:] == ["*Over: The ledger is away*"]


def test_a_webhook_is_signed_and_bears_an_id_of_its_own(ledger: Ledger, clock: Clock, sink: Sink) -> None:
    (receiver,) = receivers(hook={"kind": "webhook", "url": sink.url, "secret": SECRET}).values()
    try_receiver(receiver, AlertPosts(Redactor([])), "i-1")
    (post,) = sink.posts
    assert Webhook(SECRET).verify(post.body, post.headers)["type"] == "alert.test"
    assert post.headers["webhook-id"] == "i-1/test"


def test_mail_goes_to_all_its_addresses(mail: MailSink) -> None:
    keys = {"kind": "email", "url": mail.url, "to": ["a@example.test", "b@example.test"], "from": "bell@example.test"}
    (receiver,) = receivers(ops=keys).values()
    try_receiver(receiver, AlertPosts(Redactor([])), "i-1")
    (message,) = mail.messages
    assert message["Subject"] == "Bellhop: Test: alerts of Bellhop reach you"
    assert message["Message-ID"] == "<i-1.test@example.test>"
    assert len(mail.recipients) == 2


def test_mail_that_is_refused_is_told_without_the_servers_words(mail: MailSink) -> None:
    mail.refuse = "550 jane.lee@example.com is unknown"
    keys = {"kind": "email", "url": mail.url, "to": "a@example.test", "from": "bell@example.test"}
    (receiver,) = receivers(ops=keys).values()
    with pytest.raises(AlertUnsent, match=r"^the mail server refuses its addresses \(SMTP 550\)$"):
        try_receiver(receiver, AlertPosts(Redactor([])), "i-1")


def test_a_password_is_not_sent_where_there_is_no_tls(mail: MailSink) -> None:
    url = mail.url.replace("smtp://", "smtp://bell:secret@")
    keys = {"kind": "email", "url": url, "to": "a@example.test", "from": "bell@example.test"}
    (receiver,) = receivers(ops=keys).values()
    with pytest.raises(AlertUnsent, match="offers no TLS"):
        try_receiver(receiver, AlertPosts(Redactor([])), "i-1")
    assert mail.messages == []


@pytest.mark.parametrize("scheme", ["http", "smtp"])
def test_a_name_that_leads_to_this_host_is_not_called(
    scheme: str, sink: Sink, mail: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:

    real = socket.getaddrinfo

    def lead_inside(host: Any, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == "hooks.example.test" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", lead_inside)
    port = (sink if scheme == "http" else mail).server_address[1]
    url = f"{scheme}://hooks.example.test:{port}"
    keys = (
        {"kind": "email", "to": "a@example.test", "from": "b@example.test"} if scheme == "smtp" else {"kind": "teams"}
    )
    (receiver,) = receivers(ops={**keys, "url": url}).values()
    with pytest.raises(AlertUnsent, match=r"NameLeadsInside|leads to this host"):
        try_receiver(receiver, AlertPosts(Redactor([])), "i-1")
    assert sink.posts == []
    assert mail.messages == []


def test_each_kind_is_posted_whole(sink: Sink) -> None:
    named = receivers(
        s={"kind": "slack", "url": sink.url},
        t={"kind": "teams", "url": sink.url},
        p={"kind": "pagerduty", "url": sink.url, "routing_key": "r" * 32},
        w={"kind": "webhook", "url": sink.url, "secret": SECRET},
    )
    for receiver in named.values():
        notice = AlertNotice("open", "i-1", replace(trial_alert(), title="Ünïcode"), "", datetime.now().astimezone())
        AlertPosts(Redactor([])).send(notice, receiver, datetime.now().astimezone())
    assert len(sink.posts) == 4
    assert all("Ünïcode" in post.body.decode() for post in sink.posts)
