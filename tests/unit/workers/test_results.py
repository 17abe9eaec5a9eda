"""What is told of an event's end, to whom, and under which id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from bellhop.broker.port import Delivery, Message
from bellhop.broker.topology import work
from bellhop.ledger.known import Answer, Take
from bellhop.ledger.records import Booking, Claimed, Entry, EntryState, NewLetter, Settled, State
from bellhop.letters.buried import BuriedResults
from bellhop.schemas.envelope import Envelope, content_hash, decode, encode
from bellhop.schemas.events import PULL_TYPE
from bellhop.schemas.reasons import Reason
from bellhop.schemas.results import RESULT_TYPE, RESULTS_ROUTE, result, result_ids, signing_key
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded, Retry, Wait
from bellhop.vendors.outward import signature_headers
from bellhop.workers.delivery import EndedDelivery
from bellhop.workers.messages import result_messages
from bellhop.workers.result_posts import webhook_id
from bellhop.workers.results import Results
from tests.support.ingress import MemoryPublisher

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BOOKED = Entry("77", 0, "e-1", EntryState.CONFIRMED)
GONE = Entry("66", 0, "e-0", EntryState.CANCELLED, cancelled_by="e-9")


def event(type_: str = "booking.requested", id_: str = "e-1", **data: Any) -> Envelope:
    data = {"venue": "salon", "services": [{}], **data}
    return Envelope(
        id=id_,
        source="crm",
        type=type_,
        subject="R-1",
        route="bookings.simplybook",
        account="sb",
        time=NOW,
        received=NOW,
        data=data,
        content_hash=content_hash(type_, NOW, data),
        trace={"sentry-trace": f"{'a' * 32}-{'b' * 16}-1"},
    )


def booking(*entries: Entry) -> Booking:
    return Booking("crm", "R-1", "sb", entries)


class Ledger:
    """Holds one booking; counts how often it is asked."""

    def __init__(self, held: Booking | None = None, answer: Answer | None = None) -> None:
        self.held = held
        self.answer = answer or Take()
        self.asked = 0

    def booking(self, source: str, reference: str) -> Booking | None:
        self.asked += 1
        return self.held

    def foresee(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        return [self.answer for _ in envelopes]


def told(
    outcome: Outcome,
    of: Envelope | None = None,
    *,
    claimed: bool = True,
    held: Booking | None = None,
    known: State | None = None,
    ledger: Ledger | None = None,
    ended: datetime | None = None,
) -> Envelope | None:
    of = of or event()
    delivery = EndedDelivery(
        Delivery(Message("crm/e-1", encode(of), {}), 0),
        0.0,
        outcome,
        of,
        claim=Claimed(1, 1, NOW, held, None, 0) if claimed else None,
        booking=held if claimed else None,
        known=known,
        recorded_at=ended,
    )
    return Results(["crm"], ledger or Ledger(), lambda: NOW).of(delivery)


def body(of: Envelope | None) -> Mapping[str, Any]:
    assert of is not None
    return of.data


@pytest.mark.parametrize(
    ("of", "outcome", "type_"),
    [
        (event(), Done("booked"), "booking.confirmed"),
        (event("booking.changed"), Done("booked"), "booking.confirmed"),
        (event("booking.changed", status="CANCELED"), Done("cancelled"), "booking.cancelled"),
        (event("booking.cancelled", services=[]), Done("cancelled"), "booking.cancelled"),
        (event("booking.cancelled"), Dead(Reason.UNSUPPORTED, "by hand"), "booking.failed"),
        (event(), Dead(Reason.TOO_LATE, "too late"), "booking.failed"),
        (event("member.updated"), Done("synchronised"), "member.synchronised"),
        (event("member.created"), Dead(Reason.REJECTED, "no"), "member.failed"),
    ],
)
def test_each_end_has_its_type(of: Envelope, outcome: Outcome, type_: str) -> None:
    assert body(told(outcome, of))["type"] == type_


def test_a_cancel_of_one_guest_of_several_tells_nobody_that_the_booking_is_cancelled() -> None:
    told_of = body(told(Done("cancelled"), event("booking.cancelled"), held=booking(GONE, BOOKED)))
    assert (told_of["type"], told_of["data"]["vendor_ids"]) == ("booking.confirmed", ["77"])


@pytest.mark.parametrize(
    "outcome",
    [Retry("away"), InDoubt(None, "unknown"), Wait("not its turn"), Recorded("a hold"), None],  # type: ignore[arg-type]
)
def test_what_has_not_ended_or_was_only_recorded_is_not_told(outcome: Outcome) -> None:
    assert told(outcome) is None


@pytest.mark.parametrize("type_", [PULL_TYPE, RESULT_TYPE, "simplybook.callback"])
def test_only_members_and_bookings_are_told_of_and_never_a_result(type_: str) -> None:
    assert told(Dead(Reason.REJECTED, "no"), event(type_)) is None


def test_a_source_without_a_url_is_told_nothing() -> None:
    assert told(Done("booked"), replace(event(), source="other")) is None


def test_it_names_what_stands_and_what_was_cancelled_apart_and_which_event_did_it() -> None:
    both = body(told(Done("changed"), held=booking(GONE, BOOKED)))["data"]
    assert (both["vendor_ids"], both["cancelled_ids"]) == (["77"], ["66"])
    assert both["vendor_bookings"] == [
        {"id": "66", "state": "cancelled", "service": 0, "made_by": "e-0", "cancelled_by": "e-9"},
        {"id": "77", "state": "confirmed", "service": 0, "made_by": "e-1", "cancelled_by": None},
    ]
    none = body(told(Done("cancelled"), event("booking.cancelled"), held=booking(GONE)))["data"]
    assert (none["vendor_ids"], none["cancelled_ids"]) == ([], ["66"])


def test_a_delivery_known_as_done_is_told_again_as_it_was_with_the_ids_of_the_ledger() -> None:
    first = told(Done("booked"), held=booking(BOOKED))
    again = told(Recorded("booked"), claimed=False, known=State.DONE, ledger=Ledger(booking(BOOKED)))
    assert again == first


def test_a_delivery_known_as_dead_is_told_again_under_the_same_id_and_content() -> None:
    first = told(Dead(Reason.REJECTED, "closed"))
    again = told(Dead(Reason.REJECTED, "closed"), claimed=False)
    assert first is not None
    assert again is not None
    assert (again.id, again.content_hash, again.data) == (first.id, first.content_hash, first.data)


def test_told_later_in_other_words_it_is_the_same_to_the_ledger() -> None:
    first = result(event(), detail="one", booking={"vendor_ids": ["1"]}, now=NOW)
    other = result(event(), detail="two", reason="rejected", now=NOW + timedelta(hours=1))
    assert first is not None
    assert other is not None
    assert (first.id, first.content_hash, first.business_key) == (other.id, other.content_hash, other.business_key)


def test_the_ledger_is_not_asked_for_a_booking_that_is_at_hand() -> None:
    ledger = Ledger()
    told(Done("booked"), held=booking(BOOKED), ledger=ledger)
    told(Done("synchronised"), event("member.updated"), claimed=False, ledger=ledger)
    assert ledger.asked == 0


def test_each_replay_of_each_content_under_one_id_has_a_result_of_its_own() -> None:
    first, other = event(), replace(event(), content_hash="f" * 64)
    clash = Dead(Reason.CONFLICT, "another content stands")
    told_of = [
        told(Done("booked"), first),
        told(Done("booked"), first.next_generation()),
        *(told(clash, one, claimed=False) for one in (first, other)),
        told(Done("booked"), other.next_generation()),
    ]
    ids = [one.id for one in told_of if one]
    assert ids[0] == "e-1/0/result"
    assert len(set(ids)) == len(told_of)
    known = {first.content_hash: 1, other.content_hash: 1}
    assert set(ids) <= set(result_ids(first.source, first.id, known))


def test_two_events_of_one_booking_and_time_are_two_facts() -> None:
    keys = {one.business_key for id_ in ("e-1", "e-2") if (one := told(Done("booked"), event(id_=id_)))}
    assert len(keys) == 2


def test_the_longest_ids_stay_within_what_the_broker_takes() -> None:
    long = replace(event(id_="é" * 100), source="s" * 40, generation=10**7)
    made = result(long, detail="", now=NOW)
    assert made is not None
    assert len(made.message_id.encode()) <= 255
    other = result(replace(long, id="é" * 99 + "ü"), detail="", now=NOW)
    assert other is not None
    assert other.id != made.id


def test_what_is_queued_can_be_read_again_and_goes_on_in_its_trace() -> None:
    ((message, to),) = result_messages([None, told(Done("booked"), held=booking(BOOKED))], NOW)
    assert to == work(RESULTS_ROUTE)
    read = decode(message.body)
    assert read.trace == event().trace
    assert message.headers["sentry-trace"] == event().trace["sentry-trace"]
    assert read.data["data"]["vendor_ids"] == ["77"]


def test_the_secret_does_not_stand_in_the_queue() -> None:
    ((message, _),) = result_messages([told(Done("booked"))], NOW)
    assert b"whsec" not in message.body


def test_the_webhook_id_is_one_a_header_can_hold() -> None:
    odd = result(event(id_="ß 1\t%"), detail="", now=NOW)
    assert odd is not None
    assert webhook_id(odd) == "crm/%C3%9F%201%09%25/0/result"


def test_the_signature_is_good_by_the_library() -> None:
    now = datetime.now(UTC)
    headers = signature_headers("crm/e-1/0/result", '{"a":"ß"}', [SECRET], now)
    assert Webhook(SECRET).verify('{"a":"ß"}', headers) == {"a": "ß"}


def test_while_a_secret_is_rotated_the_old_and_the_new_one_both_find_their_signature() -> None:
    now, old = datetime.now(UTC), "whsec_cmVzdWx0cyBhcmUgc2lnbmVkIHdpdGggdGhpcyBvbmU="
    headers = signature_headers("crm/e-1/0/result", "{}", [SECRET, old], now)
    for secret in (SECRET, old):
        assert Webhook(secret).verify("{}", headers) == {}


def test_an_end_told_late_bears_the_time_at_which_it_was_recorded() -> None:
    """Or `confirmed`, told after its worker's death, would look newer than the `cancelled` that came meanwhile."""
    late = NOW - timedelta(minutes=5)
    for outcome, known in ((Recorded("booked"), State.DONE), (Dead(Reason.REJECTED, "closed"), None)):
        again = body(told(outcome, claimed=False, known=known, ended=late))
        assert again["timestamp"] == late.isoformat()


@pytest.mark.parametrize(
    "secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_!!!", "whsec_" + "A" * 200]
)
def test_a_secret_of_another_form_is_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        signing_key(secret)
    assert secret not in str(caught.value)


# --- what the broker itself buried ------------------------------------------------------------------------------


def _letter(body: bytes, source: str = "crm") -> NewLetter:
    return NewLetter("crm/e-1", body, "bookings.simplybook", "delivery_limit", "", {}, 0, NOW, source=source)


def test_what_the_broker_buried_is_told_as_failed() -> None:
    publisher = MemoryPublisher()
    BuriedResults(publisher, ["crm"], Ledger(booking(BOOKED)), lambda: NOW)([_letter(encode(event()))])
    ((message, to),) = publisher.published
    sent = decode(message.body)
    assert to == work(RESULTS_ROUTE)
    assert (sent.id, sent.data["type"]) == ("e-1/0/result", "booking.failed")
    assert (sent.data["data"]["reason"], sent.data["data"]["vendor_ids"]) == ("delivery_limit", ["77"])


def test_a_buried_copy_of_what_was_done_is_told_as_it_ended_at_the_time_it_ended() -> None:
    publisher, at = MemoryPublisher(), NOW - timedelta(hours=1)
    ledger = Ledger(booking(BOOKED), Settled(State.DONE, "booked", at))
    BuriedResults(publisher, ["crm"], ledger, lambda: NOW)([_letter(encode(event()))])
    ((message, _),) = publisher.published
    told = decode(message.body).data
    assert (told["type"], told["timestamp"], told["data"]["detail"]) == (
        "booking.confirmed",
        at.isoformat(),
        "booked",
    )
    assert "reason" not in told["data"]


@pytest.mark.parametrize("state", [State.SUPERSEDED, State.DUPLICATE, State.RECORDED, State.DISCARDED, State.DEAD])
def test_a_buried_copy_of_what_a_later_delivery_ended_or_needs_nobody_is_not_told(state: State) -> None:
    publisher = MemoryPublisher()
    BuriedResults(publisher, ["crm"], Ledger(None, Settled(state, "")), lambda: NOW)([_letter(encode(event()))])
    assert publisher.published == []


def test_of_what_nobody_can_read_or_wants_to_know_nothing_is_told() -> None:
    publisher = MemoryPublisher()
    tell = BuriedResults(publisher, ["crm"], Ledger(), lambda: NOW)
    tell([_letter(b"not an envelope"), _letter(encode(event()), source="other"), _letter(encode(event(PULL_TYPE)))])
    assert publisher.published == []
