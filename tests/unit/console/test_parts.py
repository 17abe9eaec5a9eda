from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bellhop.broker.port import QueueStats
from bellhop.console.filters import lasting, pill, share, spark
from bellhop.console.form_fields import changes_of, fields_of
from bellhop.console.guard import inside
from bellhop.console.searches import Asked, SearchForgotten
from bellhop.console.selection import choose, read_selection
from bellhop.console.trends import BEATS, Pulse
from bellhop.ledger.records import Attempt, Entry, EntryState, EventView, LetterFilter, LetterState, Order, State
from bellhop.letters.edits import EditInvalid
from bellhop.letters.timeline import sentry_link, timeline
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.schemas.observe import silent
from bellhop.schemas.redact import MASK
from tests.support.ledger import NOON, Clock

# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "\N{EN DASH}"),
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (4000, "1 h 6 min"),
        (40000, "11 h"),
        (90000, "1 d 1 h"),
        (86400 * 12, "12 d"),
    ],
)
def test_a_time_is_told_as_people_say_it(seconds: float | None, expected: str) -> None:
    assert lasting(seconds) == expected


def test_a_share_is_only_whole_where_nothing_failed() -> None:
    assert share(1.0) == "100 %"
    assert share(0.9999) == "99.9 %"
    assert share(None) == "\N{EN DASH}"


def test_a_chart_says_in_words_what_it_shows_and_lets_no_markup_in() -> None:
    drawn = spark([0, 2, 4], "<b>depth</b>")
    assert "&lt;b&gt;depth" in drawn
    assert "now 4.0, highest 4.0" in drawn
    assert "<polyline" in drawn
    assert "polyline" not in spark([], "nothing yet")
    assert "nan" not in spark([0, 0, 0], "idle")


def test_a_state_is_a_word_and_never_markup() -> None:
    assert pill("<script>") == '<span class="pill quiet">&lt;script&gt;</span>'
    assert "bad" in pill(State.DEAD)


# --- addresses ----------------------------------------------------------------------------------------------------


def test_an_address_says_which_letters_are_meant_and_the_same_comes_back_from_a_form() -> None:
    asked = Asked()
    choice = choose(
        {"q": " ada ", "reason": "rejected", "age": "1h", "state": "all", "order": "oldest", "x": "y"}, NOON, asked
    )
    assert choice.which == LetterFilter(
        reason="rejected", since=NOON - timedelta(hours=1), states=tuple(LetterState), text="ada"
    )
    assert choice.order is Order.OLDEST
    assert choice.is_narrowed
    assert "ada" not in choice.query
    assert read_selection(choice.query, NOON, asked) == choice
    with pytest.raises(SearchForgotten):  # never: all letters
        read_selection(choice.query, NOON, Asked())


def test_a_filter_is_read_whole_however_long_it_is() -> None:
    long = {"account": "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 500, "source": "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 500}
    choice = choose({**long, "state": "discarded", "assignee": "ann", "cause": "c"}, NOON, Asked())
    assert read_selection(choice.query, NOON, Asked()) == choice


def test_what_was_searched_for_long_ago_is_forgotten_and_the_same_words_have_one_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bellhop.console.searches._KEPT", 2)
    asked = Asked()
    one, two = asked.keep("one"), asked.keep("two")
    assert asked.keep("one") == one
    asked.keep("three")
    assert asked.words(one) == "one"
    with pytest.raises(SearchForgotten):
        asked.words(two)


def test_what_an_address_says_wrongly_counts_as_not_said() -> None:
    choice = choose({"age": "never", "state": "lost", "order": "best", "q": "\x00"}, NOON, Asked())
    assert choice.which == LetterFilter(states=(LetterState.OPEN,))
    assert choice.order is Order.URGENT


@pytest.mark.parametrize(
    "where", ["https://evil.test/", "//evil.test", "/\\evil.test", "\\\\evil.test", "javascript:alert(1)", "", "/a\nb"]
)
def test_after_signing_in_nobody_is_led_elsewhere(where: str) -> None:
    assert inside(where) == "/"
    assert inside("/letters?q=1") == "/letters?q=1"


# --- an edit's form -----------------------------------------------------------------------------------------------

ALLOWED = ("client", "services", "member_id", "notes", "additional", "promo_code")
DATA: Mapping[str, Any] = {
    "booking_id": "R-1",
    "client": {"name": "Ada", "email": "ada@example.test"},
    "services": [{"service_id": "7", "start": "2026-12-24T10:00:00", "price": 100.0, "count": 1}],
    "additional": {"vip": True, "a.b": "kept"},
}


def _changed(**typed: str) -> dict[str, Any]:
    fields = fields_of(DATA, ALLOWED)
    given = {field.path: typed.get(field.path.replace(".", "_"), field.text) for field in fields}
    before = copy.deepcopy(DATA)
    made = changes_of(DATA, ALLOWED, fields, given)
    assert before == DATA
    return made


def test_a_form_has_what_is_there_and_what_may_be_but_nothing_else() -> None:
    paths = {field.path: field for field in fields_of(DATA, ALLOWED)}
    assert {"client.name", "client.phone", "services.0.provider_id", "notes", "additional.vip"} <= set(paths)
    assert "booking_id" not in paths
    assert paths["client.phone"].text == ""
    assert paths["services.0.price"].kind == "number"
    assert paths["additional.vip"].kind == "switch"


def test_a_form_sent_as_it_came_changes_nothing() -> None:
    assert _changed() == {}


def test_only_what_was_typed_changes_and_keeps_its_kind() -> None:
    made = _changed(services_0_price="120.5", services_0_count="2", additional_vip="false", notes="by the window")
    assert made == {
        "services": [{"service_id": "7", "start": "2026-12-24T10:00:00", "price": 120.5, "count": 2}],
        "additional": {"vip": False, "a.b": "kept"},
        "notes": "by the window",
    }


def test_an_empty_text_takes_a_value_away_and_an_empty_object_with_it() -> None:
    assert _changed(client_email="") == {"client": {"name": "Ada"}}
    assert _changed(client_email="", client_name="") == {"client": None}


def test_a_number_that_is_none_is_told_with_its_field() -> None:
    with pytest.raises(EditInvalid) as invalid:
        _changed(services_0_price="a lot")
    assert [problem.field for problem in invalid.value.problems] == ["data.services.0.price"]


# --- the timeline -------------------------------------------------------------------------------------------------


def _view(**more: Any) -> EventView:
    said: dict[str, Any] = {
        **{"source": "crm", "id": "e-1", "type": "booking.requested", "subject": "R 1", "route": "members"},
        **{"account": "sb", "state": State.DONE, "detail": "booked", "reason": "", "generation": 0, "time": NOON},
        **{"received": NOON, "updated": NOON + timedelta(seconds=9), "next_at": None, "attempt_count": 1},
        "attempts": [Attempt("book", NOON + timedelta(seconds=2), 0.5, "ok", "", {"status": 200, "name": "Ada"})],
    }
    return EventView(**(said | more))


def _told(view: EventView, *, reveal: bool = False) -> list[Any]:
    return timeline(view, [], [], {}, None, reveal=reveal, clean=lambda value: value)


def test_an_events_way_is_told_in_the_order_of_time() -> None:
    gone = Entry("76", 0, "e-0", EntryState.CANCELLED)
    told = _told(_view(entries=[gone, Entry("77", 0, "e-1", EntryState.CONFIRMED)]))
    assert [one.title.partition(":")[0].partition(",")[0] for one in told] == [
        "Received",
        "Published",
        "Call 1",
        "Ended",
    ]
    assert told[-1].text == "booked; at the vendor as 77; cancelled there: 76"


def test_a_vendors_answer_is_masked_until_it_is_revealed() -> None:
    assert _told(_view())[2].detail == {"answer": {"status": 200, "name": MASK}}
    assert _told(_view(), reveal=True)[2].detail == {"answer": {"status": 200, "name": "Ada"}}


def test_what_a_call_asked_is_shown_without_its_guest_until_it_is_revealed() -> None:
    asked = {"unit_id": "2", "date": "2026-12-01", "client": {"name": "Ada"}, "offers": [{"start": "10:00"}]}
    came = {"bookings": [{"id": "77", "state": "confirmed", "code": "c0de"}]}
    view = _view(attempts=[Attempt("book", NOON, 0.5, "ok", "", came, asked)])
    told = next(one for one in _told(view) if one.title.startswith("Call"))
    assert told.detail == {"request": {**asked, "client": {"name": MASK}}, "answer": came}
    told = next(one for one in _told(view, reveal=True) if one.title.startswith("Call"))
    assert told.detail == {"request": asked, "answer": came}


def test_a_planned_retry_stands_at_its_time() -> None:
    told = _told(_view(state=State.RETRYING, next_at=NOON + timedelta(minutes=5)))
    assert (told[-1].title, told[-1].at) == ("Next retry", NOON + timedelta(minutes=5))


def test_the_link_to_sentry_is_made_of_the_template_and_quoted() -> None:
    link = sentry_link("https://s.test/?q=event%3A{id}+{subject}", _view(), "crm", "a&b=c")
    assert link == "https://s.test/?q=event%3Aa%26b%3Dc+R%201"
    assert sentry_link("", _view(), "crm", "x") == ""


# --- the pulse ----------------------------------------------------------------------------------------------------


class _Broker:
    def __init__(self) -> None:
        self.ready = 0
        self.away = False

    def stats(self) -> Mapping[str, QueueStats]:
        if self.away:
            raise BrokerUnavailable("connection refused")
        return {"members": QueueStats(self.ready, 1, 3.0 if self.ready else None)}


class _Ledger:
    def __init__(self) -> None:
        self.letters = self
        self.ends: dict[tuple[str, State], int] = {}
        self.took: dict[str, list[float]] = {}

    def count(self, which: LetterFilter) -> int:
        return 7

    def count_unfinished(self) -> Mapping[tuple[str, State], int]:
        return {}

    def recent_ends(self, since: object) -> Mapping[tuple[str, State], int]:
        return self.ends

    def recent_seconds(self, since: object) -> Mapping[str, list[float]]:
        return self.took


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _pulse(broker: _Broker, ledger: _Ledger, clock: Clock) -> Pulse:
    return Pulse(broker, ledger, silent, clock)


def test_what_came_is_what_ended_and_what_is_waiting_more(clock: Clock) -> None:
    broker, ledger = _Broker(), _Ledger()
    pulse = _pulse(broker, ledger, clock)
    assert pulse.trends() == []
    pulse.beat()
    broker.ready, ledger.ends = 10, {("members", State.DONE): 4, ("members", State.DEAD): 1}
    ledger.took = {"members": [1.0, 2.0]}
    clock.advance(seconds=5)
    pulse.beat()
    (members,) = [trend for trend in pulse.trends() if trend.route == "members"]
    assert (members.now.came, members.in_rate, members.out_rate, members.success) == (15, 3.0, 1.0, 0.8)
    assert members.depth == [0, 10]
    assert members.p95 == pytest.approx(1.95)
    assert pulse.open_letters == 7


def test_a_route_where_nothing_happens_has_no_rates_and_no_success_to_tell(clock: Clock) -> None:
    pulse = _pulse(_Broker(), _Ledger(), clock)
    pulse.beat()
    assert {(trend.in_rate, trend.success, trend.p95) for trend in pulse.trends()} == {(0.0, None, None)}


def test_a_broker_that_is_away_is_told_and_leaves_a_gap(clock: Clock) -> None:
    broker, ledger = _Broker(), _Ledger()
    pulse = _pulse(broker, ledger, clock)
    pulse.beat()
    broker.away = True
    pulse.beat()
    assert "broker cannot be reached" in pulse.problem
    broker.away, broker.ready = False, 50
    clock.advance(seconds=60)
    pulse.beat()
    assert pulse.problem == ""
    assert max(trend.in_rate for trend in pulse.trends()) == 0  # what came meanwhile came at no known rate


def test_the_ring_holds_ten_minutes(clock: Clock) -> None:
    pulse = _pulse(_Broker(), _Ledger(), clock)
    for _ in range(BEATS + 5):
        clock.advance(seconds=5)
        pulse.beat()
    assert {len(trend.depth) for trend in pulse.trends()} == {BEATS}


def test_the_course_of_success_is_told_over_a_minute_and_says_nothing_of_when_nothing_ended(clock: Clock) -> None:
    broker, ledger = _Broker(), _Ledger()
    pulse = _pulse(broker, ledger, clock)
    pulse.beat()
    for well, dead in ((4, 0), (0, 4), *((0, 0),) * 13, (1, 0)):
        ledger.ends = {("members", State.DONE): well, ("members", State.DEAD): dead}
        clock.advance(seconds=5)
        pulse.beat()
    (members,) = [trend for trend in pulse.trends() if trend.route == "members"]
    # All well; then half; then half no longer, as the good ones are over a minute old; then nothing; then all well.
    assert members.shares == [1.0, *[0.5] * 11, 0.0, 1.0]
    assert members.success == 5 / 9
