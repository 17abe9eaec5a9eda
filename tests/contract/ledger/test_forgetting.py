"""What names a guest goes after a while, or when it is asked for; ids, hashes and states stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bellhop.ledger import batches, forgetting, guest_looks
from bellhop.ledger.forgetting import ForgetRefused
from bellhop.ledger.guest_looks import Beforehand, Look, Within
from bellhop.ledger.guests import Guest
from bellhop.ledger.records import (
    Attempt,
    Booking,
    Claimed,
    EntryState,
    LetterFilter,
    LetterState,
    RefusedPost,
    Settled,
    Settlement,
    State,
)
from bellhop.ledger.store import Ledger
from bellhop.ledger.tables import attempts, metadata
from tests.support.ledger import (
    BOOK,
    LEASE,
    NOON,
    Clock,
    booking,
    claim,
    die,
    die_in_doubt,
    end,
    entry,
    event,
    finish,
    letter,
    take,
)

GUEST = {"name": "Zoë Quill", "email": "Zoe.Quill@example.com", "phone": "+1 604 555 0177"}
CANARIES = ("quill", "zoë", "zo\\u00eb", "zoe.quill@", "555 0177", "5550177", "6045550177", "mq-4471")
OTHER = {"name": "Ben Ives", "email": "ben@example.com"}
TOLD = {"client": GUEST, "member_id": "MQ-4471"}

Dump = Callable[[], str]


@pytest.fixture
def dump(ledger_url: str) -> Dump:
    """Every value of every table, and the bytes of SQLite's files."""

    def read() -> str:
        engine = sa.create_engine(ledger_url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            told = [
                str([bytes(v) if isinstance(v, memoryview) else v for v in row])
                for table in metadata.sorted_tables
                for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
            ]
        engine.dispose()
        if ledger_url.startswith("sqlite"):
            file = ledger_url.removeprefix("sqlite:///")
            there = [Path(file + end) for end in ("", "-wal", "-journal") if Path(file + end).exists()]
            told += [one.read_bytes().decode("latin-1") for one in there]
        return "\n".join(told).lower()

    return read


@pytest.fixture
def brief(ledger_url: str, clock: Clock) -> Iterator[Ledger]:
    """Keeps payloads for 7 days."""
    week = 7 * 86400
    with closing(Ledger.open(ledger_url, keep_seconds=90 * 86400, keep_payload_seconds=week, now=clock)) as opened:
        yield opened


def call(guest: dict[str, Any] = GUEST) -> Attempt:
    return Attempt("book", NOON, 0.2, "ok", f"said {guest['name']}", {"of": guest["name"]}, {"client": dict(guest)})


def booked(
    ledger: Ledger, id_: str = "e-1", subject: str = "R-1", data: dict[str, Any] = TOLD, days: float = -1
) -> None:
    """A booking that was made, with its call; its start so many days after noon."""
    start = {"services": [{"start": (NOON + timedelta(days=days)).isoformat()}]}
    asked = {"client": data["client"], "member_id": data.get("member_id")}
    made = Booking("crm", subject, "sb", (entry(f"v-{subject}", asked=asked),))
    finish(ledger, event(id_, subject=subject, data={**data, **start}), attempts=(call(data["client"]),), booking=made)


def found_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


# --- after a while ----------------------------------------------------------------------------------------------------


def test_what_names_a_guest_goes_a_week_after_the_end_and_the_duplicate_is_still_known(
    brief: Ledger, clock: Clock, dump: Dump
) -> None:
    first = event("e-1", data={**TOLD, "services": [{"start": NOON.isoformat()}]})
    finish(brief, first, attempts=(call(),), booking=booking(entry("v-1", asked={"client": GUEST})))
    clock.advance(days=6)
    assert brief.prune() == 0
    assert found_in(dump())
    clock.advance(days=2)
    assert brief.prune() > 0
    assert [attempt.method for attempt in brief.calls("crm", "e-1")] == ["book"]
    assert brief.find_events(GUEST["name"], 9) == []
    assert isinstance(claim(brief, first), Settled)
    held = brief.booking("crm", "R-1")
    assert held is not None
    assert [one.vendor_id for one in held.entries] == ["v-1"]
    assert brief.prune() == 0


def test_a_booking_to_come_keeps_its_guest_until_a_week_after_its_start(
    brief: Ledger, clock: Clock, dump: Dump
) -> None:
    booked(brief, days=30)
    clock.advance(days=36)
    assert brief.prune() == 0
    assert found_in(dump())
    clock.advance(days=2)
    assert brief.prune() == 2


def test_a_booking_that_was_never_made_keeps_nobody(brief: Ledger, clock: Clock, dump: Dump) -> None:
    refused = event("e-1", data={**TOLD, "services": [{"start": (NOON + timedelta(days=30)).isoformat()}]})
    die(brief, refused, attempts=(call(),), booking=booking())
    brief.letters.archive([letter(refused)])
    brief.letters.discard([1], "ann", "she went elsewhere")
    clock.advance(days=8)
    assert brief.prune() > 0
    assert found_in(dump()) == []


def test_of_many_payloads_each_goes_once_and_those_beside_what_is_needed_go_too(
    brief: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a batch's rows were all touched in one moment, and where it begins after one that is needed still."""
    monkeypatch.setattr(batches, "BATCH", 3)
    told = [event(f"e-{number}", "member.updated", subject=f"m-{number}") for number in range(12)]
    for number in (0, 5, 6):
        die(brief, told[number])
        brief.letters.archive([letter(told[number])])
    rest = [one for number, one in enumerate(told) if number not in (0, 5, 6)]
    claims = brief.claim(rest, "w-1", LEASE)
    ends = [Settlement(one, of, State.DONE) for one, of in zip(claims, rest, strict=True) if isinstance(one, Claimed)]
    assert brief.settle(ends) == []
    clock.advance(days=8)
    assert brief.prune() == 9
    assert brief.prune() == 0
    newer = event("e-20", "member.updated", subject="m-20")
    finish(brief, newer)
    clock.advance(days=8)
    assert brief.prune() == 1


def test_what_is_at_work_or_waits_for_a_person_keeps_its_guest(brief: Ledger, clock: Clock) -> None:
    end(brief, event("e-1", subject="R-1", data=TOLD), State.RETRYING, attempts=(call(),))
    die(brief, event("e-2", subject="R-2", data=TOLD), attempts=(call(),))
    brief.letters.archive([letter(event("e-2", subject="R-2", data=TOLD))])
    clock.advance(days=20)
    assert brief.prune() == 0
    brief.letters.discard([1], "ann", "no")
    clock.advance(days=8)
    assert brief.prune() == 2
    kept = brief.letters.get(1)
    assert kept is not None
    assert (kept.new.body, kept.new.error) == (b"", "")
    assert brief.letters.restore([1], "ann", "after all") == 0


# --- when it is asked for ---------------------------------------------------------------------------------------------


def everything(ledger: Ledger) -> None:
    """The guest wherever the ledger has one, beside another."""
    booked(ledger)
    finish(ledger, event("m-1", "member.updated", subject="MQ-4471", data={"profile": GUEST}), attempts=(call(),))
    gone = event("e-3", subject="R-3", data=TOLD)
    die(ledger, gone, attempts=(call(),))
    ledger.letters.archive([letter(gone)])
    ledger.letters.note(1, "ann", f"called {GUEST['name']}")
    ledger.edits.propose(1, "ann", "typo", b'{"client": {"name": "Quill"}}')
    ledger.letters.note_act("ann", "call vendor", f"asked by {GUEST['email']}", "member MQ-4471")
    ledger.letters.discard([1], "ann", "no")
    body = b'{"client": {"name": "Quill", "email": "zoe.quill@example.com"}}'
    refused = RefusedPost("crm", "d", 422, "invalid", "", [], "application/json", 9, "{}", NOON, NOON, content=body)
    ledger.refusals.enter([refused])
    booked(ledger, "e-9", "R-9", {"client": OTHER})


@pytest.mark.parametrize("name", ["zoe.quill@EXAMPLE.com", "MQ-4471"])
def test_a_forgotten_guest_is_found_nowhere_and_another_stays(
    ledger: Ledger, clock: Clock, dump: Dump, name: str
) -> None:
    everything(ledger)
    clock.advance(days=1)
    assert set(found_in(dump())) >= {"quill", "zoe.quill@", "mq-4471"}
    first = ledger.forgetting.find(name)
    assert (first.events, first.letters, first.refused) == (3, 1, 1)
    assert set(found_in(dump())) >= {"quill", "zoe.quill@", "mq-4471"}  # that was a look
    assert ledger.forgetting.forget(name, "ann", "asked for it") == first
    assert found_in(dump()) == []
    assert "ben ives" in dump()
    row = ledger.letters.audit_page(1).rows[0]
    assert (row.act, row.who, row.why) == ("forget", "ann", "asked for it")
    assert ledger.audit_chain.verify().broken is None
    assert isinstance(claim(ledger, event("e-3", subject="R-3", data=TOLD)), Settled)
    assert ledger.forgetting.find(name).events == 0


def test_what_still_stands_is_told_and_nothing_erased_unless_it_is_said_so(ledger: Ledger, dump: Dump) -> None:
    booked(ledger, days=3)
    waits = event("e-2", subject="R-2", data=TOLD)
    die(ledger, waits)
    ledger.letters.archive([letter(waits)])
    working = event("e-3", subject="R-3", data=TOLD)
    claimed = take(ledger, working)
    with pytest.raises(ForgetRefused, match=r"1 event at work \(e-3\), 1 open dead letter \(1\), 1 booking to come"):
        ledger.forgetting.forget("MQ-4471", "ann", "asked for it")
    assert found_in(dump())
    ledger.forgetting.forget("MQ-4471", "ann", "asked for it", also_open=True)
    assert found_in(dump()) == []
    assert ledger.letters.count(LetterFilter(states=(LetterState.DISCARDED,))) == 1
    held = ledger.booking("crm", "R-1")
    assert held is not None
    assert [one.stands for one in held.entries] == [True]
    assert claimed.event_pk


def test_a_booking_to_come_is_one_that_stands_at_the_vendor(ledger: Ledger) -> None:
    """One that was never made, and one that somebody cancelled there, are none."""
    soon = {"services": [{"start": (NOON + timedelta(days=3)).isoformat()}]}
    die(ledger, event("e-1", subject="R-1", data={**TOLD, **soon}), booking=booking())
    booked(ledger, "e-2", "R-2", days=3)
    gone = entry("v-3", EntryState.CANCELLED, cancelled_by="e-3")
    told = event("e-3", subject="R-3", data={**TOLD, **soon})
    finish(ledger, told, booking=Booking("crm", "R-3", "sb", (gone,)))
    assert ledger.forgetting.find("MQ-4471").coming == ("R-2",)


def test_what_waited_in_a_queue_is_worked_and_goes_once_it_has_ended(ledger: Ledger, clock: Clock, dump: Dump) -> None:
    ledger.forgetting.forget("MQ-4471", "ann", "asked for it")
    clock.advance(minutes=5)
    finish(ledger, event("e-1", data=TOLD), attempts=(call(),))
    assert found_in(dump())
    assert ledger.prune() == 1
    assert found_in(dump()) == []


def test_what_comes_later_is_a_guest_anew(ledger: Ledger, clock: Clock) -> None:
    clock.advance(days=-1)
    ledger.forgetting.forget("MQ-4471", "ann", "asked for it")
    clock.advance(days=1)
    finish(ledger, event("e-1", data=TOLD), attempts=(call(),))
    assert ledger.prune() == 0


def test_a_call_in_doubt_is_decided_first(ledger: Ledger) -> None:
    doubtful = event("e-1", data=TOLD)
    die_in_doubt(ledger, doubtful, BOOK)
    with pytest.raises(ForgetRefused, match="in doubt"):
        ledger.forgetting.forget("MQ-4471", "ann", "asked", also_open=True)


def test_a_reason_that_names_the_guest_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ForgetRefused, match="names the guest"):
        ledger.forgetting.forget("MQ-4471", "ann", "mq-4471 wrote to us")


def test_a_booking_whose_reference_is_like_the_members_id_is_somebody_elses(ledger: Ledger) -> None:
    booked(ledger, "e-1", "MQ-4471", {"client": OTHER})
    assert ledger.forgetting.find("mq-4471").events == 0


def test_what_a_members_event_tells_is_no_booking_of_a_reference_that_is_like_their_id(ledger: Ledger) -> None:
    booked(ledger, "e-1", "MQ-4471", {"client": OTHER}, days=3)
    finish(ledger, event("m-1", "member.updated", subject="MQ-4471", data={"profile": GUEST}), attempts=(call(),))
    found = ledger.forgetting.find("MQ-4471")
    assert (found.events, found.coming) == (1, ())
    assert ledger.forgetting.forget("MQ-4471", "ann", "asked", seen=found.digest) == found
    assert [one.id for one in ledger.find_events("ben ives", 9)] == ["e-1"]


def test_what_tells_nothing_of_a_guest_but_is_of_their_booking_is_found_at_the_first_look(ledger: Ledger) -> None:
    """It was refused, so that no booking names them."""
    die(ledger, event("e-1", data={"client": GUEST}))
    finish(ledger, event("e-2", "booking.cancelled", at=5))
    found = ledger.forgetting.find(GUEST["email"])
    assert found.events == 2
    assert ledger.forgetting.forget(GUEST["email"], "ann", "asked", seen=found.digest) == found


def test_the_same_id_at_another_source_stays(ledger: Ledger) -> None:
    booked(ledger)
    assert ledger.forgetting.find("MQ-4471", "shop").events == 0
    assert ledger.forgetting.find("MQ-4471", "crm").events == 1


# --- while others write -----------------------------------------------------------------------------------------------

During = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> During:
    """Has something happen once the ledger was read, before the commit that erases."""

    def happens(what: Callable[[], object]) -> None:
        find, left = forgetting._find, [what]

        def find_and_then(look: Look, *rest: Any) -> Guest:
            found = find(look, *rest)
            if isinstance(look, Beforehand) and left:
                left.pop()()
            return found

        monkeypatch.setattr(forgetting, "_find", find_and_then)

    return happens


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_what_comes_while_the_ledger_is_read_for_a_guest_is_erased_too(
    ledger: Ledger, dump: Dump, meanwhile: During, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest_looks, "PART", 1)
    everything(ledger)
    ledger.letters.note_act("ann", "call vendor", "asked by +1 604 555 0199", "")
    moved = {**TOLD, "client": {**GUEST, "phone": "+1 604 555 0199"}}  # by which nobody knew them before
    meanwhile(lambda: booked(ledger, "e-7", "R-7", moved))
    ledger.forgetting.forget("MQ-4471", "ann", "asked for it")
    told = dump()
    assert "r-7" in told
    assert found_in(told) == []
    assert "555 0199" not in told
    assert "ben ives" in told


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_within_the_commit_only_what_has_come_since_is_read(ledger: Ledger, meanwhile: During) -> None:
    everything(ledger)
    said: list[str] = []
    meanwhile(said.clear)  # what was read before

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        ledger.forgetting.forget("MQ-4471", "ann", "asked for it")
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    wholes = ("lower(CAST", "refused_posts.content", "audit.why", "letter_notes.text", "letter_bodies.body \nFROM dead")
    read = [one for one in said if one.startswith("SELECT") and any(whole in one for whole in wholes)]
    assert len(read) == 6
    assert [one for one in read if ">= ?" not in one] == []


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_numbers_that_are_given_again_after_the_last_was_deleted_are_read_again(ledger: Ledger) -> None:
    everything(ledger)
    database = ledger.forgetting._database
    newest = sa.select(attempts.c.pk).order_by(attempts.c.pk.desc()).limit(1)
    with database.write() as connection:
        last = connection.scalar(newest)
        connection.execute(sa.delete(attempts).where(attempts.c.pk == last))
        every = sa.select(attempts.c.pk)
        count = len(list(Within(connection, {}).whole(attempts, every)))
        assert len(list(Within(connection, {attempts: last}).whole(attempts, every))) == count > 1
        assert len(list(Within(connection, {attempts: connection.scalar(newest)}).whole(attempts, every))) == 1


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_dying_before_the_commit_leaves_the_guest_as_they_were(
    ledger: Ledger, dump: Dump, meanwhile: During, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(ledger)
    before, found = dump(), ledger.forgetting.find("MQ-4471")

    def die_here() -> None:
        raise Killed

    meanwhile(die_here)
    with pytest.raises(Killed):
        ledger.forgetting.forget("MQ-4471", "ann", "asked for it")
    monkeypatch.undo()
    assert dump() == before
    assert ledger.forgetting.forget("MQ-4471", "ann", "asked for it") == found
    assert found_in(dump()) == []


def test_dying_between_two_batches_leaves_whole_ones_done_and_the_others_to_the_next(
    brief: Ledger, clock: Clock, dump: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        booked(brief, f"e-{number}", f"R-{number}")
    clock.advance(days=91)
    monkeypatch.setattr(batches, "BATCH", 2)

    def die_here(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr("bellhop.ledger.engine.Database.make_way", die_here)
        with pytest.raises(Killed):
            brief.prune()
    left = [number for number in range(5) if brief.event("crm", f"e-{number}") is not None]
    assert len(left) == 3
    assert [len(brief.calls("crm", f"e-{number}")) for number in left] == [1, 1, 1]
    brief.prune()
    assert found_in(dump()) == []
