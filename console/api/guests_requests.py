"""Schemas of requests about guests."""

from __future__ import annotations

from bellhop.console.api.request_fields import BodyFlag, Line
from bellhop.console.api.requests import why
from bellhop.schemas.contract import Strict


class GuestChoice(Strict):
    guest = Line(320, required=True, metadata={"description": "A member's id or an e-mail address."})
    source = Line(
        100, load_default="", minimum=0, metadata={"description": "Only this source's; empty: that of every source."}
    )


class GuestToForget(GuestChoice):
    why = why()
    confirm = Line(
        64,
        required=True,
        metadata={"description": "The `confirm` of /guests/find: refused where there is something else by now."},
    )
    also_open = BodyFlag(
        load_default=False,
        metadata={"description": "Also what is still needed: letters are discarded, bookings stand without a guest."},
    )
