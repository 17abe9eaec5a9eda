"""The whole way to a company that PHP serves as Zend's JSON-RPC server would: booked, changed, cancelled, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.facts import cancel, salon_booking, slot
from tests.support.php import ACCOUNT, php_company
from tests.support.service import Service


def booking(reference: str, number: int, **client: str) -> dict[str, Any]:
    made = salon_booking(reference, number, unit="3")
    return {**made, "venue": "zend", "client": {**made["client"], **client}}


def test_bookings_are_made_changed_cancelled_and_refused_at_a_php_server(tmp_path: Path) -> None:
    with php_company(tmp_path) as company, Service(tmp_path, more=ACCOUNT.format(url=company.url)) as service:
        service.start_all("bookings.simplybook")
        first = booking("R-1", 40)
        assert service.post("e-1", "booking.requested", first) == 202
        told = service.wait_for_state("e-1", "done")
        (made,) = company.bookings
        assert made["start_date_time"] == slot(40).replace("T", " ")
        assert told["vendor_ids"] == [made["id"]]

        assert service.post("e-2", "booking.changed", booking("R-1", 44)) == 202
        service.wait_for_state("e-2", "done")
        old, new = company.bookings
        assert (old["cancelled"], new["start_date_time"]) == (True, slot(44).replace("T", " "))

        # The slot is taken; a code of the vendor's that its server replaces; and a service that it does not have.
        for id_, data, words in (
            ("e-3", booking("R-2", 44), "Selected time start is not available"),
            ("e-4", booking("R-3", 48, name="Nobody"), "Client with given id not found"),
            ("e-5", {**booking("R-4", 48), "services": [{**first["services"][0], "service_id": "8"}]}, "event id"),
        ):
            assert service.post(id_, "booking.requested", data) == 202
            dead = service.wait_for_state(id_, "dead")
            assert (dead["reason"], words in dead["detail"]) == ("rejected", True), dead
        assert len(company.bookings) == 2

        assert service.post("e-6", "booking.cancelled", cancel(booking("R-1", 44))) == 202
        service.wait_for_state("e-6", "done")
        assert [one.get("cancelled") for one in company.bookings] == [True, True]
