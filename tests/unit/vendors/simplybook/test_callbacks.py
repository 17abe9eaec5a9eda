"""SimplyBook.me's callbacks: told on where they are news, kept where they are the echo of our own calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellhop.ledger.proofs import SURPLUS
from bellhop.ledger.records import Booking, Doubt, Entry, EntryState, ProofResult, Proven, State, VendorCall
from bellhop.ledger.search_terms import numbers
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.reasons import Reason
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.outcome import Dead, Done, Outcome, Recorded, Wait
from bellhop.vendors.simplybook.callbacks import Feed, SimplybookCallbacks
from bellhop.vendors.simplybook.marks import mark_client, mark_field, mark_of
from bellhop.vendors.simplybook.settings import SimplybookAccount
from tests.support.facts import venue_facts

NO_BOOKING = Booking("salon", "434", "sb")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OTHER = venue_facts("studio", "other", "simplybook", ZoneInfo("Europe/London"))
DETAILS = {
    "id": "434",
    "event_id": "7",
    "unit_id": "3",
    "start_date_time": "2027-03-01 13:00:00",
    "end_date_time": "2027-03-01 13:30:00",
    "client_name": "Ada Lee",
}
ENTRY = Entry("434", 0, "e-1", EntryState.CONFIRMED, "hash", "7/3/2027-03-01/13:00:00/1")


@dataclass
class Salon:
    details: Mapping[str, Any] | VendorFailure = field(default_factory=lambda: DETAILS)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def get_booking_details(self, id_: str, hash_: str) -> Mapping[str, Any]:
        self.asked.append((id_, hash_))
        if isinstance(self.details, VendorFailure):
            raise self.details
        return self.details


@dataclass
class Ledger:
    ours: Booking | None = None
    booking: bool = False
    at_work: bool = False
    asked: list[str] = field(default_factory=list)

    def booking_of(self, account: str, vendor_id: str) -> Booking | None:
        assert (account, vendor_id) == ("sb", "434")
        self.asked.append("booking_of")
        return self.ours

    def is_booking(self, account: str) -> bool:
        self.asked.append("is_booking")
        return self.booking

    def is_at_work(self, source: str, reference: str) -> bool:
        assert (source, reference) == ("crm", "R-1")
        return self.at_work


def fill(document: Mapping[str, Any]) -> dict[str, Any]:
    """As a map of the settings would."""
    if "client_name" not in document:
        return {}
    service = {"service_id": "2", "provider_id": "9", "start": document["start_date_time"]}
    return {"data": {"client": {"name": document["client_name"]}, "services": [service]}}


def callback(kind: str) -> Envelope:
    data = {"booking_id": "434", "booking_hash": "785cb8cce316e64765b94c05a635f4be", "notification_type": kind}
    return Envelope(
        id=f"434-{kind}", source="salon-news", type="simplybook.callback", subject="434",
        route="callbacks.simplybook", account="sb", time=NOON, received=NOON, data=data,
        content_hash=content_hash("simplybook.callback", NOON, data),
    )  # fmt: skip


def tell(
    kind: str,
    *,
    salon: Salon | None = None,
    ledger: Ledger | None = None,
    feed: Feed | None = None,
    now: datetime = NOON,
    source: str = "salon-news",
) -> Outcome:
    feeds = {source: feed or Feed(pull_account="pv")}
    handler = SimplybookCallbacks({"sb": salon or Salon()}, feeds, ledger or Ledger(), lambda: now)  # type: ignore[dict-item]
    event = callback(kind)
    step = handler.translate(event, NO_BOOKING)
    if not isinstance(step, VendorCall):
        return step
    assert step.repeatable
    outcome = handler.perform(step, event, NO_BOOKING)
    assert not isinstance(outcome, Booking)
    return outcome


def gone() -> Salon:
    return Salon(
        VendorFailure(Kind.REJECTED, vendor="simplybook", method="getBookingDetails", code="-32080", message="")
    )


@pytest.mark.parametrize("kind", ["create", "change", "cancel"])
def test_news_of_a_booking_has_the_peoplevine_account_pulled_after_its_details_were_fetched(kind: str) -> None:
    salon = Salon()
    outcome = tell(kind, salon=salon)
    assert salon.asked == [("434", "785cb8cce316e64765b94c05a635f4be")]
    assert isinstance(outcome, Done)
    (pull,) = outcome.forward
    assert (pull.route, pull.account, pull.type) == ("pulls", "pv", "pull.requested")
    assert (pull.source, pull.id) == ("salon-news", f"434-{kind}/pull")
    assert pull.data == {"what": "reservations"}


def test_a_reminder_changes_nothing() -> None:
    assert isinstance(tell("notify"), Recorded)


def test_a_booking_that_is_gone_is_told_as_cancelled() -> None:
    outcome = tell("change", salon=gone(), feed=Feed(venue=OTHER, fill=fill))
    assert isinstance(outcome, Done)
    assert outcome.forward[0].type == "booking.cancelled"


def test_a_signature_that_is_refused_is_the_vendors_to_say() -> None:
    wrong = VendorFailure(Kind.REJECTED, vendor="simplybook", method="getBookingDetails", code="-32085", message="")
    with pytest.raises(VendorFailure):
        tell("create", salon=Salon(wrong))


@pytest.mark.parametrize(
    ("kind", "type_"),
    [("create", "booking.requested"), ("change", "booking.changed"), ("cancel", "booking.cancelled")],
)
def test_another_venue_is_fed_with_what_its_map_makes_of_the_details(kind: str, type_: str) -> None:
    outcome = tell(kind, feed=Feed(venue=OTHER, fill=fill))
    assert isinstance(outcome, Done)
    (fed,) = outcome.forward
    assert (fed.type, fed.route, fed.account) == (type_, "bookings.simplybook", "other")
    assert (fed.subject, fed.id, fed.time) == ("sb-434", f"434-{kind}/feed", NOON)
    if kind != "cancel":
        assert fed.data["services"][0]["start"] == "2027-03-01T13:00:00+00:00"
        assert fed.not_after == datetime(2027, 3, 1, 13, tzinfo=UTC)


def test_a_map_that_makes_no_event_is_told_with_its_fields() -> None:
    outcome = tell("create", feed=Feed(venue=OTHER))
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.MISCONFIGURED
    assert "data.services" in outcome.error
    assert "Ada" not in outcome.error


def ours(**entry: Any) -> Ledger:
    whole = {name: getattr(ENTRY, name) for name in ("vendor_id", "line", "made_by", "state", "secret_hash", "slot")}
    return Ledger(Booking("crm", "R-1", "sb", (Entry(**{**whole, **entry}),)))


@pytest.mark.parametrize(
    ("kind", "ledger"),
    [("create", ours()), ("change", ours()), ("cancel", ours(state=EntryState.CANCELLED))],
)
def test_the_echo_of_our_own_calls_goes_no_further(kind: str, ledger: Ledger) -> None:
    outcome = tell(kind, ledger=ledger, feed=Feed(pull_account="pv", venue=OTHER, fill=fill))
    assert isinstance(outcome, Recorded)
    assert "our own, of crm's booking R-1" in outcome.detail


@pytest.mark.parametrize(
    ("kind", "salon"),
    [
        ("cancel", Salon()),
        ("change", gone()),
        ("change", Salon({**DETAILS, "start_date_time": "2027-03-01 14:00:00"})),
        ("change", Salon({**DETAILS, "unit_id": "4"})),
    ],
    ids=["cancelled there", "gone there", "moved there", "another provider"],
)
def test_what_someone_did_to_a_booking_of_ours_is_news(kind: str, salon: Salon) -> None:
    assert isinstance(tell(kind, salon=salon, ledger=ours()), Done)


def cancelled_there(ledger: Ledger, salon: Salon, proofs: Proofs) -> Outcome:
    handler = SimplybookCallbacks(
        {"sb": salon},  # type: ignore[dict-item]
        {"salon-news": Feed(pull_account="pv")},
        ledger,
        lambda: NOON,
        lambda: proofs,
    )
    outcome = handler.perform(
        VendorCall("sb", "getBookingDetails", {"id": "434"}, True), callback("cancel"), NO_BOOKING
    )
    assert not isinstance(outcome, Booking)
    return outcome


def test_what_somebody_cancelled_at_the_vendor_is_noted_once_the_vendor_says_so_and_told_on_after_a_death() -> None:
    proofs = Proofs()
    assert isinstance(cancelled_there(ours(), gone(), proofs), Done)
    assert proofs.cancelled == ["434 by 434-cancel"]
    noted = ours(state=EntryState.CANCELLED, cancelled_by="434-cancel")
    assert isinstance(cancelled_there(noted, gone(), proofs), Done), "its worker may have died before it was told on"
    assert len(proofs.cancelled) == 1


@pytest.mark.parametrize(
    ("ledger", "salon"), [(ours(), Salon()), (ours(state=EntryState.UNPAID), gone())], ids=["it is there", "not paid"]
)
def test_what_a_callback_alone_says_and_what_its_own_event_asks_about_is_not_noted(
    ledger: Ledger, salon: Salon
) -> None:
    proofs = Proofs()
    assert isinstance(cancelled_there(ledger, salon, proofs), Done)
    assert proofs.cancelled == []


def test_an_unknown_booking_waits_while_a_call_of_ours_may_be_making_it() -> None:
    outcome = tell("create", ledger=Ledger(booking=True))
    assert isinstance(outcome, Wait)


def test_calls_on_their_way_are_asked_for_before_their_bookings_as_one_may_come_back_in_between() -> None:
    ledger = Ledger()
    tell("create", ledger=ledger)
    assert ledger.asked == ["is_booking", "booking_of"]


def test_a_callback_about_a_booking_that_is_being_worked_waits_to_see_whether_it_is_that() -> None:
    ledger = ours()
    ledger.at_work = True
    assert isinstance(tell("cancel", ledger=ledger), Wait)
    assert isinstance(tell("cancel", ledger=ledger, now=NOON + timedelta(minutes=11)), Done)


@pytest.mark.parametrize("flag", ["1", True])
def test_the_making_of_what_is_cancelled_since_is_told_as_its_cancel(flag: object) -> None:
    outcome = tell("create", salon=Salon({**DETAILS, "is_cancelled": flag}), feed=Feed(venue=OTHER, fill=fill))
    assert isinstance(outcome, Done)
    assert outcome.forward[0].type == "booking.cancelled"


def test_but_not_for_ever_as_a_busy_account_always_has_one_on_its_way() -> None:
    assert isinstance(tell("create", ledger=Ledger(booking=True), now=NOON + timedelta(minutes=11)), Done)


def test_a_source_that_feeds_nothing_only_records() -> None:
    assert isinstance(tell("create", feed=Feed()), Recorded)


def test_a_source_that_the_settings_lost_is_a_persons_to_put_back() -> None:
    outcome = tell("create", source="another")
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.MISCONFIGURED


# --- proof of a call in doubt -----------------------------------------------------------------------------------

GUEST = {"client_email": "Ada@Example.com", "client_phone": "+44 20 7123"}
SLOT = {"event_id": "7", "unit_id": "3", "date": "2027-03-01", "time": "13:00:00", "count": 1}
ACCOUNT = SimplybookAccount("sb", company="c", api_key="k", secret_key="s", base_url="https://x.example")


def in_doubt(event_id: str = "e-1", *, is_open: bool = True, since: datetime = NOON, **slot: Any) -> Doubt:
    call = VendorCall("sb", "book", {**SLOT, **slot}, repeatable=False)
    words = frozenset(numbers("ada@example.com"))
    state = State.IN_DOUBT if is_open else State.DONE
    return Doubt(1, "crm", event_id, "R-1", state, call, since, words, is_open)


class Proofs:
    def __init__(self, *doubts: Doubt, result: ProofResult = ProofResult.BOOKED) -> None:
        self.doubts = doubts
        self.result = result
        self.proven: list[tuple[str, Entry]] = []
        self.cancelled: list[str] = []

    def candidates(self, account: str) -> Sequence[Doubt]:
        return self.doubts

    def prove(self, doubt: Doubt, entries: Sequence[Entry], who: str, why: str, wanted: int = 1) -> Proven:
        self.proven += [(doubt.event_id, entry) for entry in entries]
        return Proven(self.result)

    def note_cancelled(self, booking: Booking, vendor_id: str, by: str = "") -> None:
        self.cancelled.append(f"{vendor_id} by {by}" if by else vendor_id)


class Cancelling(Salon):
    refusal: VendorFailure | None = None
    cancelled: list[str]

    def cancel_booking(self, id_: str, hash_: str) -> None:
        self.cancelled = [*getattr(self, "cancelled", ()), id_]
        if self.refusal:
            raise self.refusal


def told(
    proofs: Proofs, *, now: datetime = NOON, salon: Salon | None = None, kind: str = "create", **more: Any
) -> Outcome:
    """What comes of a callback about booking 434, with these details beside the usual ones."""
    salon = salon or Cancelling({**DETAILS, **GUEST, **more})
    found = ours(slot=f"{SURPLUS}7/3/2027-03-01/13:00:00/1")

    class Known(Ledger):
        def booking_of(self, account: str, vendor_id: str) -> Booking | None:
            return found.ours if proofs.proven and proofs.result is ProofResult.SURPLUS else None

    feed = Feed(venue=OTHER, fill=fill)
    handler = SimplybookCallbacks(
        {"sb": salon},
        {"salon-news": feed},
        Known(),
        lambda: now,
        lambda: proofs,
        {"sb": ACCOUNT},  # type: ignore[dict-item]
    )
    outcome = handler.perform(VendorCall("sb", "getBookingDetails", {"id": "434"}, True), callback(kind), NO_BOOKING)
    assert not isinstance(outcome, Booking)
    return outcome


@pytest.mark.parametrize("kind", ["create", "change", "notify"])
def test_a_callback_is_the_proof_of_a_call_in_doubt_and_is_told_to_nobody(kind: str) -> None:
    proofs = Proofs(in_doubt(), in_doubt("e-2", time="15:00:00"))
    outcome = told(proofs, kind=kind, is_confirmed="0")
    assert isinstance(outcome, Recorded)
    assert "was in doubt, and stands" in outcome.detail
    ((event_id, entry),) = proofs.proven
    assert (event_id, entry.vendor_id, entry.slot) == ("e-1", "434", "7/3/2027-03-01/13:00:00/1")
    assert (entry.secret_hash, entry.state) == ("785cb8cce316e64765b94c05a635f4be", EntryState.BOOKED)


@pytest.mark.parametrize(
    "more",
    [
        {"client_email": "bob@example.com"},
        {"unit_id": "4"},
        {"event_id": "8"},
        {"start_date_time": "2027-03-01 13:30:00"},
    ],
    ids=["guest", "provider", "service", "start"],
)
def test_what_differs_in_anything_is_a_strangers_and_is_told_on(more: dict[str, str]) -> None:
    proofs = Proofs(in_doubt())
    assert isinstance(told(proofs, **more), Done)
    assert proofs.proven == []


@pytest.mark.parametrize(
    ("doubts", "more"),
    [
        ((in_doubt(), in_doubt("e-2")), {}),
        ((in_doubt(),), {"client_email": "", "client_phone": ""}),
        ((in_doubt(),), {"event_id": ""}),
    ],
    ids=["two that could be it", "no guest", "no service"],
)
def test_what_may_be_ours_is_neither_taken_for_it_nor_told_on(doubts: tuple[Doubt, ...], more: dict[str, str]) -> None:
    proofs = Proofs(*doubts)
    assert isinstance(told(proofs, **more), Wait)
    late = told(proofs, now=NOON + timedelta(minutes=11), **more)
    assert isinstance(late, Dead)
    assert late.reason is Reason.IN_DOUBT
    assert proofs.proven == []


def test_by_our_mark_a_booking_is_known_among_those_that_are_alike() -> None:
    proofs = Proofs(in_doubt(), in_doubt("e-2"))
    mark = mark_of("crm", "e-2", 0)
    assert isinstance(told(proofs, additional={"f" * 32: {"value": mark}}), Recorded)
    assert [event_id for event_id, _ in proofs.proven] == ["e-2"]


def test_while_its_event_is_worked_a_proof_waits() -> None:
    assert isinstance(told(Proofs(in_doubt(), result=ProofResult.AT_WORK)), Wait)


def test_what_was_carried_out_after_it_was_booked_again_is_cancelled_at_once() -> None:
    proofs, salon = Proofs(in_doubt(is_open=False), result=ProofResult.SURPLUS), Cancelling({**DETAILS, **GUEST})
    outcome = told(proofs, salon=salon)
    assert isinstance(outcome, Recorded)
    assert (salon.cancelled, proofs.cancelled) == (["434"], ["434"])


def test_what_is_too_many_and_cannot_be_cancelled_is_told_as_doubled() -> None:
    proofs, salon = Proofs(in_doubt(is_open=False), result=ProofResult.SURPLUS), Cancelling({**DETAILS, **GUEST})
    salon.refusal = VendorFailure(
        Kind.REJECTED, vendor="simplybook", method="cancelBooking", message="no", code="-32085"
    )
    outcome = told(proofs, salon=salon)
    assert isinstance(outcome, Dead)
    assert (outcome.reason, proofs.cancelled) == (Reason.DOUBLED, [])


def test_what_a_guest_may_have_booked_again_later_is_not_cancelled_unseen() -> None:
    proofs = Proofs(in_doubt(is_open=False, since=NOON - timedelta(hours=2)), result=ProofResult.SURPLUS)
    outcome = told(proofs)
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.DOUBLED
    assert proofs.proven == []


def test_a_callback_that_comes_again_cancels_what_its_worker_died_before_cancelling() -> None:
    salon = Cancelling({**DETAILS, **GUEST})
    outcome = tell("create", salon=salon, ledger=ours(slot=f"{SURPLUS}7/3/2027-03-01/13:00:00/1"))
    assert isinstance(outcome, Recorded)
    assert salon.cancelled == ["434"]


def test_a_mark_goes_where_the_account_says_and_over_nothing_that_was_given() -> None:
    intake = [{"name": "f" * 32, "title": "Reference"}]
    mark = mark_of("crm", "e-1", 0)
    assert mark.isdecimal()
    assert mark != mark_of("crm", "e-1", 1)
    assert mark_field("Reference", {}, intake, mark) == {"f" * 32: mark}
    assert mark_field("f" * 32, {"Reference": "mine"}, intake, mark) == {"Reference": "mine"}
    assert mark_field("Reference", {}, [], mark) == {}, "a service without the field would refuse it"
    assert mark_client("client.address2", {"name": "Ada"}, mark) == {"name": "Ada", "address2": mark}
    assert mark_client("Reference", {"name": "Ada"}, mark) == {"name": "Ada"}
