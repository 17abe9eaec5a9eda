"""Whole ways through both vendors, by configuration alone, with real processes against the sandbox."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.facts import cancel, salon_booking, slot, spa_booking
from tests.support.service import SOURCE, Service, wait_for

MORE = """
[accounts.small]
kind = "peoplevine"
base_url = "{sandbox}"
auth_id = "sandbox"
company = "4711"
user = "bellhop"
password = "sandbox-password"
limit_per_day = 10
connect_timeout = "1s"
read_timeout = "1s"
late_after = "0s"
[accounts.spa-b4t]
kind = "peoplevine"
base_url = "{sandbox}"
auth_id = "sandbox-book4time"
company = "4712"
user = "bellhop"
password = "sandbox-password"
region = "1"
system = "book4time"
pull_reservations = "0 4 * * *"
connect_timeout = "1s"
read_timeout = "1s"
late_after = "0s"
[accounts.dining]
kind = "peoplevine"
base_url = "{sandbox}"
auth_id = "sandbox-sevenrooms"
company = "4713"
user = "bellhop"
password = "sandbox-password"
system = "sevenrooms"
attributes = ["House Wine"]
connect_timeout = "1s"
read_timeout = "1s"
late_after = "0s"
[accounts.events]
kind = "peoplevine"
base_url = "{sandbox}"
auth_id = "sandbox-tripleseat"
company = "4714"
user = "bellhop"
password = "sandbox-password"
system = "tripleseat"
connect_timeout = "1s"
read_timeout = "1s"
late_after = "0s"
[accounts.batches]
kind = "simplybook"
base_url = "{sandbox}"
company = "sandbox"
api_key = "sandbox-api-key"
secret_key = "sandbox-secret-key"
batch = true
discover = true
limit_per_second = 0
limit_at_once = 0
limit_per_day = 0
connect_timeout = "1s"
read_timeout = "1s"
late_after = "0s"
[venues.thermal]
account = "spa-b4t"
timezone = "Europe/London"
[venues.roof]
account = "dining"
timezone = "Europe/London"
[venues.ballroom]
account = "events"
timezone = "Europe/London"
[venues.studio]
account = "batches"
timezone = "Europe/London"
[venues.small-spa]
account = "small"
timezone = "Europe/London"
[sources.small]
verifier = "bearer"
secrets = ["a-bearer-secret-of-some-length"]
member_account = "small"
[sources.guests]
verifier = "bearer"
secrets = ["a-bearer-secret-of-some-length"]
member_account = "dining"
[sources.sevenrooms]
verifier = "path-secret"
secrets = ["a-path-secret-of-some-length"]
format = "sevenrooms"
[sources.sevenrooms.venues."12345"]
venue = "salon"
service_id = "7"
provider_id = "9"
duration = "15m"
[sources.tripleseat]
verifier = "tripleseat"
secrets = ["secret"]
format = "tripleseat"
pull_account = "events"
[sources.salon-news]
verifier = "query-secret"
secrets = ["a-query-secret-of-some-length"]
format = "simplybook"
account = "sb"
pull_account = "spa-b4t"
[sources.salon-twin]
verifier = "bearer"
secrets = ["a-bearer-secret-of-some-length"]
format = "simplybook"
account = "sb"
feed_venue = "studio"
[sources.salon-twin.map]
"data.client.name" = "client_name"
"data.client.email" = "client_email"
"data.services.0.service_id" = "event_id"
"data.services.0.provider_id" = { value = "40" }
"data.services.0.start" = "start_date_time"
"""
BEARER = "Bearer a-bearer-secret-of-some-length"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """On the embedded broker: what is shown here is the same on any."""
    with Service(tmp_path_factory.mktemp("running"), more=MORE) as made:
        made.start_all()
        yield made


@pytest.fixture
def service(shared: Service) -> Service:
    return shared


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path, more=MORE) as made:
        yield made


def told_of(service: Service, account: str) -> dict[str, Any]:
    """What `bellhop accounts` tells of one."""
    return next(one for one in service.told("accounts") if one["account"] == account)


def offers_of(service: Service) -> list[dict[str, Any]]:
    (created,) = service.calls("create_service_reservation")
    found: list[dict[str, Any]] = created["body"]["offers"]
    return found


# --- Peoplevine -------------------------------------------------------------------------------------------------


def window(venue: str, service_id: str, member: int, start: str, end: str) -> dict[str, Any]:
    service = {"service_id": service_id, "start": start, "end": end}
    return {"booking_id": f"W-{venue}", "venue": venue, "member_id": member, "services": [service]}


@pytest.mark.parametrize(
    ("venue", "service_id", "member", "company", "price"),
    [
        ("thermal", "5101", 2001, "4712", 105.0),
        ("roof", "6101", 3001, "4713", 15.0),
        ("ballroom", "7102", 4001, "4714", 285.0),
    ],
    ids=["Book4Time", "SevenRooms", "Tripleseat"],
)
def test_a_window_takes_the_nearest_and_cheapest_offer_of_whichever_system_stands_behind(
    service: Service, venue: str, service_id: str, member: int, company: str, price: float
) -> None:
    asked = window(venue, service_id, member, "2027-03-01T10:05:00", "2027-03-01T15:00:00")
    assert service.post(f"w-{venue}", "booking.requested", asked) == 202
    service.wait_for_state(f"w-{venue}", "done")
    (offer,) = offers_of(service)
    assert (offer["start"], offer["service_id"], offer["price"]) == ("2027-03-01T10:15:00", service_id, price)
    detail = service.shown(SOURCE, f"w-{venue}")["detail"]
    assert f"took service {service_id} with technician {offer['technician_id']}" in detail
    assert "2027-03-01T10:15:00" in detail
    system = {"thermal": "b4t", "roof": "7rooms", "ballroom": "tripleseat"}[venue]
    assert service.calls("create_service_reservation")[0]["system"] == system
    assert not re.search(rf"(?<!\d){company}(?!\d)", service.logs())  # but for a part of a second

    pulled = service.run("pull", {"thermal": "spa-b4t", "roof": "dining", "ballroom": "events"}[venue], "--wait")
    assert pulled.returncode == 0, pulled.stderr
    assert {call["system"] for call in service.calls("sync_reservations")} >= {system}


def test_a_window_without_an_offer_tells_a_person_what_is_offered_instead(service: Service) -> None:
    service.sandbox("POST", "switches", sevenrooms_app_not_in_audience=True)
    asked = window("roof", "6101", 3001, "2027-03-01T10:00:00", "2027-03-01T15:00:00") | {"booking_id": "W-none"}
    assert service.post("w-none", "booking.requested", asked) == 202
    service.wait_for_state("w-none", "dead")
    service.sandbox("POST", "switches", sevenrooms_app_not_in_audience=False)
    shown = service.shown(SOURCE, "w-none")
    assert shown["reason"] == "rejected"
    assert "has no offer in its window" in shown["detail"]
    assert service.calls("create_service_reservation") == []


def test_pulls_go_on_from_the_last_success_and_a_failed_one_moves_nothing(alone: Service) -> None:
    alone.start_all()
    # The worker that started has announced this morning's tick.
    wait_for(lambda: len(alone.calls("sync_reservations")) == 1, "the schedule's pull")
    first = datetime.now(UTC)
    assert alone.run("pull", "spa-b4t", "--what", "profiles", "--from", "2020-01-01", "--wait").returncode == 0
    alone.sandbox("POST", "faults", method="sync_profiles", kind="http", status=502, times=1)
    again = alone.run("pull", "spa-b4t", "--what", "profiles", "--wait", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)[0]["state"] == "done"
    asked = [call["query"]["from"] for call in alone.calls("sync_profiles")]
    assert asked[0] == "2020-01-01T00:00:00Z"
    reached = datetime.fromisoformat(asked[1])
    assert asked[1] == asked[2]  # refused by the fault, and tried again from the same place
    assert first - timedelta(minutes=3) < reached < datetime.now(UTC)


def test_two_workers_pull_an_account_one_at_a_time(alone: Service) -> None:
    alone.start_all("pulls")
    alone.start("work-2", "pulls")
    alone.sandbox("POST", "faults", method="sync_profiles", kind="slow", seconds=0.4, times=None)
    for _ in range(4):
        assert alone.run("pull", "dining", "--what", "profiles", "--from", "2020-01-01").returncode == 0
    wait_for(lambda: len([c for c in alone.calls("sync_profiles") if c["answered"]]) == 4, "all are pulled")
    starts = sorted(datetime.fromisoformat(call["at"]) for call in alone.calls("sync_profiles"))
    apart = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(starts)]
    assert min(apart) >= 0.4


def test_when_the_days_calls_run_short_members_wait_and_bookings_do_not(service: Service) -> None:
    for number in range(9):
        body = _body("member.updated", {"member_id": str(1000 + number)})
        status, _ = service.post_to("small", body, authorization=BEARER, x=str(number))
        assert status == 202
    wait_for(lambda: len(service.calls("sync_member")) == 8, "the day's first four fifths are used")
    spa = {**spa_booking("PV-small", 3), "venue": "small-spa"}
    assert service.post("small-1", "booking.requested", spa) == 202
    service.wait_for_state("small-1", "done")
    assert len(service.calls("sync_member")) == 8
    assert told_of(service, "small")["used"] == 9


# --- SimplyBook.me ----------------------------------------------------------------------------------------------


def studio(reference: str, *numbers: int, **more: Any) -> dict[str, Any]:
    booking = salon_booking(reference, numbers[0])
    services = [{"service_id": "7", "provider_id": "1", "start": slot(number)} for number in numbers]
    return {**booking, "venue": "studio", "services": services, **more}


def test_several_services_are_one_batch_confirmed_at_once_and_a_cancel_resumes_where_it_was_cut_off(
    alone: Service,
) -> None:
    alone.start_all()
    alone.sandbox("POST", "switches", simplybook_require_confirm=True)
    assert alone.post("b-1", "booking.requested", studio("B-1", 0, 1, 2)) == 202
    made = alone.wait_for_state("b-1", "done")["vendor_ids"]
    assert len(made) == 3
    assert len(alone.calls("createBatch")) == 1
    assert len({call["params"][7] for call in alone.calls("book")}) == 1
    assert len(alone.calls("confirmBookingBatch")) == 1
    assert alone.calls("confirmBooking") == []
    state = alone.sandbox("GET", "state")["bookings"]
    assert [booking["confirmed"] for booking in state] == [True] * 3

    # The second of three cancels breaks, and the worker is killed while it waits for it.
    alone.sandbox("POST", "faults", method="cancelBooking", kind="slow", seconds=0.9, times=2)
    assert alone.post("b-2", "booking.cancelled", cancel(studio("B-1", 0))) == 202
    wait_for(lambda: len(alone.calls("cancelBooking")) == 2, "the second cancel is on its way")
    alone.kill("work-1", signal.SIGKILL)
    alone.start("work-2")
    alone.wait_for_state("b-2", "done", 40)
    assert all(booking["cancelled"] for booking in alone.sandbox("GET", "state")["bookings"])
    assert {str(call["params"][0]) for call in alone.calls("cancelBooking")} == set(made)
    assert len(alone.calls("book")) == 3


def test_a_change_killed_between_the_new_slot_and_the_old_finishes_on_redelivery(service: Service) -> None:
    assert service.post("m-1", "booking.requested", salon_booking("M-1", 44)) == 202
    (old,) = service.wait_for_state("m-1", "done")["vendor_ids"]
    service.sandbox("POST", "faults", method="cancelBooking", kind="timeout_before", seconds=5, times=1)
    assert service.post("m-2", "booking.changed", salon_booking("M-1", 45)) == 202
    wait_for(lambda: len(service.calls("cancelBooking")) == 1, "the old one's cancel is on its way")
    service.kill("work-1", signal.SIGKILL)
    standing = [b for b in service.bookings() if not b["cancelled"]]
    assert len(standing) == 2  # never with neither
    service.start("work-1")
    service.wait_for_state("m-2", "done", 40)
    standing = [b for b in service.bookings() if not b["cancelled"]]
    assert [b["start"] for b in standing] == [slot(45)]
    assert len(service.calls("book")) == 2
    assert {str(call["params"][0]) for call in service.calls("cancelBooking")} == {old}


def test_a_recurring_booking_keeps_every_id_and_a_cancel_cancels_them_all(service: Service) -> None:
    course = salon_booking("C-1", 4)
    course["services"][0]["service_id"] = "9"
    course["recurring"] = {"days": "7", "repeats": "4"}
    assert service.post("c-1", "booking.requested", course) == 202
    made = service.wait_for_state("c-1", "done")["vendor_ids"]
    assert len(made) == 4
    assert service.post("c-2", "booking.cancelled", cancel(course)) == 202
    service.wait_for_state("c-2", "done")
    assert [booking["cancelled"] for booking in service.bookings()] == [True] * 4


def test_an_intake_form_a_promo_code_and_a_guest_of_another_zone(service: Service) -> None:
    booking = salon_booking("I-1", 8)
    booking["services"][0]["service_id"] = "12"
    booking["client"]["timezone"] = "Europe/Athens"
    booking |= {"additional": {"select": "two", "digits": "42"}, "promo_code": "WELCOME"}
    assert service.post("i-1", "booking.requested", booking) == 202
    service.wait_for_state("i-1", "done")
    params = service.calls("book")[0]["params"]
    assert params[4]["client_time_offset"] == 120
    assert "timezone" not in params[4]
    assert params[5]["81853bf002e30056f6189432c77d98a5"] == "two"
    assert params[5]["promocode"] == {"name": "promocode", "value": "WELCOME", "type": "text"}

    incomplete = {**salon_booking("I-2", 12), "additional": {"select": "six"}}
    incomplete["services"][0]["service_id"] = "12"
    incomplete["services"][0]["start"] = slot(12).replace(":00:00", ":07:00")
    assert service.post("i-2", "booking.requested", incomplete) == 202
    service.wait_for_state("i-2", "dead")
    detail = service.shown(SOURCE, "i-2")["detail"]
    for words in ("the nearest are", '"select" must be one of one, two', '"digits" is required'):
        assert words in detail
    assert len(service.calls("book")) == 1


def test_limits_are_kept_by_all_workers_together_and_nothing_is_refused_for_being_too_much(tmp_path: Path) -> None:
    with Service(tmp_path, limits=(20, 2, 5000)) as service:
        service.start_all()
        service.start("work-2")
        # Calls leave 20 a second, and some are late on the way: more than 20 may arrive within one. Two workers that
        # did not keep to it together would be at twice that.
        service.sandbox("POST", "switches", simplybook_per_second=25, simplybook_at_once=2)
        for number in range(30):
            assert service.post(f"l-{number}", "booking.requested", salon_booking(f"L-{number}", number)) == 202
        wait_for(lambda: len(service.bookings()) == 30, "all are booked", 60)

        def calls() -> list[Any]:
            return [call for call in service.sandbox("GET", "calls")["calls"] if call["vendor"] == "simplybook"]

        def is_counted() -> bool:
            """A worker that has just started may still be asking what it needs to know of the company."""
            account = told_of(service, "sb")
            return (account["used"], account["on_their_way"]) == (len(calls()), 0)

        wait_for(is_counted, "the ledger counts as many calls as came", 20)
        assert [call["refusal"] for call in calls() if call["refusal"]] == []
        assert len(service.calls("book")) == 30


def test_while_a_vendor_is_away_its_breaker_spares_the_attempts_and_everything_is_done_when_it_is_back(
    alone: Service,
) -> None:
    alone.start_all()
    assert alone.post("away-0", "member.updated", {"member_id": 3125141}) == 202
    alone.wait_for_state("away-0", "done")
    alone.kill("sandbox")
    for number in range(20):
        assert alone.post(f"away-{number + 1}", "member.updated", {"member_id": 1000 + number}) == 202
    wait_for(lambda: told_of(alone, "pv")["breaker"] != "closed", "the breaker opens")
    alone.start("sandbox")
    for number in range(20):
        alone.wait_for_state(f"away-{number + 1}", "done", 60)
    # One of those the breaker held was tried a few times at most: the ladder has six steps.
    tries = [alone.shown(SOURCE, f"away-{number + 1}")["attempt_count"] for number in range(20)]
    assert max(tries) <= 4
    assert alone.run("dead", "list", "--json").stdout.strip() == "[]"


# --- upstreams of other kinds -----------------------------------------------------------------------------------


def sevenrooms(status: str, event_type: str, updated: str, number: int = 16) -> str:
    entity = {
        "id": "sr-resv-1", "reference_code": "R", "venue_id": "12345", "status": status, "first_name": "Test",
        "last_name": "Guest", "email": "guest@example.test", "real_datetime_of_slot": slot(number), "updated": updated,
    }  # fmt: skip
    return json.dumps([{"event_type": event_type, "entity": entity}])


def test_sevenrooms_webhook_books_moves_and_cancels(service: Service) -> None:
    path = "sevenrooms/a-path-secret-of-some-length"
    assert service.post_to("sevenrooms/not-the-secret-of-this-source", "[]")[0] == 401
    posted = [
        ("HOLD", "created", 16, "recorded"),
        ("BOOKED", "updated", 16, "done"),
        ("CONFIRMED", "updated", 18, "done"),
        ("CUSTOM_STATUS_27", "updated", 18, "recorded"),
        ("CANCELED", "updated", 18, "done"),
    ]
    for minute, (status, kind, number, state) in enumerate(posted):
        answered, told = service.post_to(path, sevenrooms(status, kind, f"2026-11-01T10:{minute:02}:00", number))
        assert answered == 202, told
        id_ = told["id"] if "id" in told else told["events"][0]["id"]
        wait_for(lambda id_=id_, state=state: service.state_of("sevenrooms", id_) == state, f"{status} is {state}")  # type: ignore[misc]
    assert len(service.calls("book")) == 2
    assert [booking["cancelled"] for booking in service.bookings()] == [True, True]


def test_a_label_spelled_with_other_capitals_is_told_in_the_answer_and_in_the_history(service: Service) -> None:
    member = {"member_id": 3125141, "attributes": {"vip client type": "Gold", "House Wine": "red"}}
    status, told = service.post_to("guests", _body("member.updated", member), authorization=BEARER)
    assert status == 202
    assert "VIP client type" in json.dumps(told["warnings"])
    wait_for(lambda: service.state_of("guests", told["id"]) == "done", "it is done")
    assert "VIP client type" in service.shown("guests", told["id"])["detail"]


def test_a_tripleseat_event_has_its_account_pulled(service: Service) -> None:
    import hashlib
    import hmac
    import time

    event = {"id": 55521609, "status": "DEFINITE", "site_id": 4, "event_start": "12/28/2027 6:00 PM",
             "event_end": "12/28/2027 6:15 PM", "event_date": "12/28/2027", "event_date_iso8601": "2027-12-28",
             "updated_at": "12/28/2026 12:56 PM"}  # fmt: skip
    body = json.dumps({"webhook_trigger_type": "STATUS_CHANGE_EVENT", "event": event})
    now = str(int(time.time()))
    mac = hmac.new(b"secret", f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    status, _ = service.post_to("tripleseat", body, X_Signature=f"t={now},v1={mac}")
    assert status == 200
    wait_for(lambda: any(c["system"] == "tripleseat" for c in service.calls("sync_reservations")), "it is pulled")


def test_simplybooks_own_callbacks_have_another_account_pulled_and_our_own_bookings_echo_goes_no_further(
    alone: Service,
) -> None:
    alone.start_all()
    wait_for(lambda: len(alone.calls("sync_reservations")) == 1, "the schedule's pull")
    assert alone.post("own-1", "booking.requested", salon_booking("O-1", 20)) == 202
    ours = alone.wait_for_state("own-1", "done")["vendor_ids"][0]
    with contextlib.closing(alone.ledger()) as ledger:
        booking = ledger.booking_of("sb", ours)
        assert booking is not None
        hash_ = booking.entries[0].secret_hash

    path = "salon-news?secret=a-query-secret-of-some-length"
    status, told = alone.post_to(path, _callback(ours, hash_, "create"))
    assert status == 202, told
    wait_for(lambda: alone.state_of("salon-news", told["id"]) == "recorded", "our own is recorded")
    assert "our own" in alone.shown("salon-news", told["id"])["detail"]

    # Someone else books at the salon: its front desk, say.
    foreign = _book_there(alone, slot(24))
    status, told = alone.post_to(path, _callback(*foreign, "create"))
    assert status == 202
    wait_for(lambda: len(alone.calls("sync_reservations")) == 2, "the account is pulled")
    assert alone.calls("sync_reservations")[-1]["system"] == "b4t"
    # Sent again, hours later: it is known.
    assert alone.post_to(path, _callback(*foreign, "create"))[0] == 202
    # And what a guest does to a booking of ours is news.
    alone.post_to(path, _callback(ours, hash_, "cancel"))
    wait_for(lambda: len(alone.calls("sync_reservations")) == 3, "the account is pulled again")
    for secret in ("a-query-secret-of-some-length", hash_):
        assert secret not in alone.logs()


def test_a_callback_feeds_another_venue_as_its_map_says(alone: Service) -> None:
    alone.start_all()
    foreign = _book_there(alone, slot(28))
    status, told = alone.post_to("salon-twin", _callback(*foreign, "create"), authorization=BEARER)
    assert status == 202, told
    wait_for(lambda: alone.state_of("salon-twin", f"{told['id']}/feed") == "done", "the twin is booked")
    ours = alone.calls("book")[-1]["params"]
    assert (str(ours[1]), f"{ours[2]}T{ours[3]}", ours[4]["name"]) == ("40", slot(28), "Walk In")
    status, told = alone.post_to("salon-twin", _callback(*foreign, "cancel"), authorization=BEARER)
    wait_for(lambda: alone.state_of("salon-twin", f"{told['id']}/feed") == "done", "the twin is cancelled")
    twin = next(b for b in alone.sandbox("GET", "state")["bookings"] if b["unit_id"] == "40")
    assert twin["cancelled"]


def test_what_is_carried_out_too_late_is_told_by_its_callback_and_never_stands_beside_another(service: Service) -> None:
    """The first is booked again meanwhile, and cancelled; of the second nobody can tell whether it was booked."""
    tells = f"{service.url}/webhooks/salon-news?secret=a-query-secret-of-some-length"
    service.sandbox("POST", "switches", simplybook_callback_url=tells)
    try:
        late = {"method": "book", "kind": "timeout_late", "seconds": 1.5, "late": 5, "times": 2}
        service.sandbox("POST", "faults", **late)
        assert service.post("late-1", "booking.requested", salon_booking("L-1", 60, unit="3")) == 202
        assert service.post("late-2", "booking.requested", salon_booking("L-2", 61, unit="65")) == 202
        (again,) = service.wait_for_state("late-1", "done")["vendor_ids"]
        assert service.post("late-3", "booking.cancelled", cancel(salon_booking("L-1", 60))) == 202
        service.wait_for_state("late-3", "done")
        service.wait_for_state("late-2", "dead")
        wait_for(lambda: len(_at_salon(service, "L-1")) == 2, "the vendor has carried the first call out")
        wait_for(lambda: all(one["cancelled"] for one in _at_salon(service, "L-1")), "the one too many is cancelled")
        assert again in {one["id"] for one in _at_salon(service, "L-1")}
        proven = service.wait_for_state("late-2", "done")
        assert proven["vendor_ids"] == [one["id"] for one in _at_salon(service, "L-2") if not one["cancelled"]]
    finally:
        service.sandbox("POST", "switches", simplybook_callback_url="")


def _at_salon(service: Service, reference: str) -> list[dict[str, Any]]:
    bookings: list[dict[str, Any]] = service.sandbox("GET", "state")["bookings"]
    return [one for one in bookings if one["client"]["email"] == f"{reference}@example.test"]


def _callback(id_: str, hash_: str, kind: str) -> str:
    return json.dumps({"booking_id": id_, "booking_hash": hash_, "company": "sandbox", "notification_type": kind})


def _book_there(service: Service, start: str) -> tuple[str, str]:
    """Books at the sandbox without Bellhop: id and hash."""
    import urllib3

    http = urllib3.PoolManager()

    def rpc(path: str, method: str, *params: object, **headers: str) -> Any:
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        return http.request("POST", service.sandbox_url + path, json=body, headers=headers).json()["result"]

    token = rpc("/login", "getToken", "sandbox", "sandbox-api-key")
    day, time = start.split("T")
    guest = {"name": "Walk In", "email": "walk@example.test", "phone": "+442071234567"}
    made = rpc("/", "book", 7, 2, day, time, guest, **{"X-Token": token, "X-Company-Login": "sandbox"})
    http.clear()
    return made["bookings"][0]["id"], made["bookings"][0]["hash"]


# --- bad input --------------------------------------------------------------------------------------------------


def test_odd_but_right_bookings_are_made_and_wrong_ones_are_told_field_by_field(service: Service) -> None:
    names = ("😀 Zoë O'Brien", "محمد علي", "李小龍", "Ада\u202e Лав")
    for number, name in enumerate(names):
        booking = salon_booking(f"N-{number}", 30 + number)
        booking["client"]["name"] = name
        assert service.post(f"n-{number}", "booking.requested", booking) == 202
        service.wait_for_state(f"n-{number}", "done")
    assert sorted(booking["client"]["name"] for booking in service.bookings()) == sorted(names)

    notes = "é" * 2000
    assert service.post("long", "booking.requested", {**spa_booking("PV-long", 1), "notes": notes}) == 202
    service.wait_for_state("long", "done")
    assert service.calls("create_service_reservation")[0]["body"]["notes"] == notes

    wrong: list[tuple[str, dict[str, Any]]] = [
        ("data.venue", {**salon_booking("X-1", 40), "venue": "nowhere"}),
        ("data.notes", {**spa_booking("X-2", 40), "notes": "x" * 2001}),
        ("data.services.0.end", _with(spa_booking("X-3", 40), end="2027-03-01T00:00:00")),
        ("data.services.0.start", _with(salon_booking("X-4", 40), start="2027-03-28T01:30:00")),  # the clock skips it
        ("data.services.0.start", _with(salon_booking("X-5", 40), start="2027-10-31T01:30:00")),  # happens twice
        ("data.services.0.price", _with(spa_booking("X-6", 40), price="100 EUR")),
        ("data.services.0.price", _with(spa_booking("X-7", 40), price=True)),
        ("data.client.timezone", {**salon_booking("X-8", 40), "client": {"name": "A", "timezone": "Mars/Olympus"}}),
    ]
    for field, data in wrong:
        status, told = _post(service, f"x-{data['booking_id']}", data)
        assert (status, [error["field"] for error in told["errors"]]) == (422, [field])

    # With its offset the hour that happens twice is one hour; a start that has passed stands in front of a person.
    twice = _with(salon_booking("X-9", 40), start="2027-10-31T01:30:00+00:00")
    assert service.post("x-9", "booking.requested", twice) == 202
    service.wait_for_state("x-9", "done")
    assert service.calls("book")[-1]["params"][2:4] == ["2027-10-31", "01:30:00"]
    past = _with(salon_booking("X-10", 40), start="2020-01-01T10:00:00")
    assert service.post("x-10", "booking.requested", past) == 202
    service.wait_for_state("x-10", "dead")
    assert service.shown(SOURCE, "x-10")["reason"] == "too_late"


def _with(booking: dict[str, Any], **service: Any) -> dict[str, Any]:
    return {**booking, "services": [{**booking["services"][0], **service}]}


def _post(service: Service, id_: str, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    body = _body("booking.requested", data)
    return service.post_to(SOURCE, body, **service.signed(id_, body))


def _body(type_: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": type_, "timestamp": datetime.now(UTC).isoformat(), "data": data})
