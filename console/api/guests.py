"""What the ledger has of a guest, and its erasure."""

from __future__ import annotations

from bellhop.console.api import guests_requests, people_responses
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import Role
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.people import guest_row


def section(parts: ApiParts) -> ApiSection:
    forgetting = parts.ledger.forgetting

    def find(call: ApiCall) -> JsonObject:
        return guest_row(forgetting.find(call.body["guest"], call.body["source"]))

    def forget(call: ApiCall) -> JsonObject:
        body = call.body
        done = forgetting.forget(
            body["guest"],
            call.who,
            body["why"],
            source=body["source"],
            also_open=body["also_open"],
            seen=body["confirm"],
        )
        return guest_row(done)

    routes = (
        Route("POST", "/guests/find", find, "Count what the ledger has of a guest; nothing is done",
              people_responses.GuestFoundLine, Role.ADMIN, body=guests_requests.GuestChoice),
        Route("POST", "/guests/forget", forget, "Erase what the ledger has of a guest, as it was found",
              people_responses.GuestFoundLine, Role.ADMIN, body=guests_requests.GuestToForget, refuses=True),
    )  # fmt: skip
    return ApiSection(
        "guests", "What the ledger has of a guest, and its erasure. A guest stands in no address.", routes
    )
