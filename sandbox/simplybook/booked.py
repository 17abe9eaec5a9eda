"""One booking of the pretended SimplyBook.me."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from bellhop.sandbox.simplybook.seed import Promotion, Service, Unit


@dataclass(slots=True)
class Booked:
    """fields: what was answered to the intake form. pay_by: the company's clock; None where nothing is to be paid.
    client_time_offset: in minutes, None where it was not given."""

    id: str
    service: Service
    unit: Unit
    client_id: str
    client: dict[str, str]
    start: datetime
    end: datetime
    code: str
    hash: str
    confirmed: bool
    cancelled: bool = False
    paid: bool = False
    pay_by: datetime | None = None
    promotion: Promotion | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    client_time_offset: int | None = None

    @property
    def price(self) -> str:
        """After the promotion's discount, written as the vendor writes prices."""
        left = Decimal(100) - Decimal(self.promotion.discount if self.promotion else 0)
        return f"{Decimal(self.service.price) * left / 100:.4f}"

    def as_json(self) -> dict[str, str]:
        """As in the document's `book response`."""
        return {
            "id": self.id,
            "event_id": self.service.id,
            "unit_id": self.unit.id,
            "client_id": self.client_id,
            "start_date_time": f"{self.start:%Y-%m-%d %H:%M:%S}",
            "end_date_time": f"{self.end:%Y-%m-%d %H:%M:%S}",
            "is_confirmed": "1" if self.confirmed else "0",
            "code": self.code,
            "hash": self.hash,
        }
