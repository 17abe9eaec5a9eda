"""What the flood guard holds, to be released or discarded."""

from __future__ import annotations

from collections.abc import Callable

from bellhop.console.api import requests, state_responses
from bellhop.console.api.problems import not_found
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import Role
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.floods import list_floods

_NUMBER = "<number:number>"


def section(parts: ApiParts) -> ApiSection:
    floods = parts.ledger.floods

    def index(_call: ApiCall) -> JsonObject:
        return {"rows": parts.redactor.value(list_floods(parts.ledger, parts.settings.venues))}

    def ending(act: Callable[[int, str, str], int | None]) -> Callable[..., JsonObject]:
        def view(call: ApiCall, number: int) -> JsonObject:
            count = act(number, call.who, call.body["why"])
            if count is None:
                raise not_found("such open flood; GET /floods lists them")
            return {"events": count}

        return view

    routes = (
        Route("GET", "/floods", index, "List floods with what they hold, open ones first", state_responses.FloodList),
        Route("POST", f"/floods/{_NUMBER}/release", ending(floods.release), "Have what it holds worked",
              state_responses.FloodEnd, Role.OPERATOR, body=requests.Why),
        Route("POST", f"/floods/{_NUMBER}/discard", ending(floods.discard), "Have what it holds come to nothing",
              state_responses.FloodEnd, Role.OPERATOR, body=requests.Why),
    )  # fmt: skip
    return ApiSection("floods", "Cancels and changes that are held because they are too many at once.", routes)
