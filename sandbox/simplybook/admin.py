"""SimplyBook.me's administration, pretended as far as Bellhop asks it: the list of bookings, and one's details."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.booked import Booked
from bellhop.sandbox.simplybook.bookings import Bookings
from bellhop.sandbox.simplybook.rpc import RpcError
from bellhop.sandbox.simplybook.switches import SimplybookSwitches


class BackOffice:
    def __init__(self, bookings: Bookings, switches: Callable[[], SimplybookSwitches]) -> None:
        self._bookings = bookings
        self._switches = switches
        self.methods: Mapping[str, Callable[..., Reply]] = {
            "getBookings": self._list,
            "getBookingDetails": self._details,
        }

    def _list(self, filter_: Any) -> Reply:
        """A map by id, as it was seen of the vendor's."""
        wanted = filter_ if isinstance(filter_, dict) else {}
        return Reply({booked.id: self._row(booked) for booked in self._rows_of(wanted)})

    def _rows_of(self, wanted: Mapping[str, Any]) -> Iterator[Booked]:
        """A filter that is not known, or empty, is none."""
        for booked in self._bookings.all.values():
            day, cancelled = f"{booked.start:%Y-%m-%d}", "cancelled" if booked.cancelled else "non_cancelled"
            if (
                str(wanted.get("date_from") or day) <= day <= str(wanted.get("date_to") or day)
                and str(wanted.get("event_id") or booked.service.id) == booked.service.id
                and str(wanted.get("unit_group_id") or booked.unit.id) == booked.unit.id
                and wanted.get("booking_type", "all") in ("all", cancelled)
            ):
                yield booked

    def _row(self, booked: Booked) -> dict[str, str]:
        return {
            "id": booked.id,
            "start_date": f"{booked.start:%Y-%m-%d %H:%M:%S}",
            "end_date": f"{booked.end:%Y-%m-%d %H:%M:%S}",
            "event_id": booked.service.id,
            "event": booked.service.name,
            "unit_id": booked.unit.id,
            "unit": booked.unit.name,
            "client_id": booked.client_id,
            "client": booked.client["name"],
            "client_email": booked.client["email"],
            "client_phone": booked.client["phone"],
            "is_confirm": "1" if booked.confirmed else "0",
            "code": booked.code,
        }

    def _details(self, id_: Any) -> Reply:
        """Without a signature."""
        booked = self._bookings.all.get(str(id_))
        if booked is None:
            raise RpcError(-32080)
        named = {f"client_{key}": booked.client[key] for key in ("name", "email", "phone")}
        told = booked.as_json() | named | {"is_cancelled": str(int(booked.cancelled))}
        if not self._switches().simplybook_admin_tells_hash:
            del told["hash"]
        return Reply(told)
