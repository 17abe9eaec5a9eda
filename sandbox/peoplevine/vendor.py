"""Peoplevine, as a row of the sandbox's registry: at `/res/…`."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from bellhop.sandbox.front import Counter, Front, json_body
from bellhop.sandbox.peoplevine.app import CREDENTIALS, Accounts
from bellhop.sandbox.peoplevine.control import add_control
from bellhop.sandbox.peoplevine.seed import PeoplevineSeeds
from bellhop.sandbox.peoplevine.switches import PeoplevineSwitches
from bellhop.sandbox.pretended import Pretended
from bellhop.schemas.redact import MASK

_NAME: Final = "peoplevine"


def _serve(app: Flask, front: Front) -> None:
    @app.route("/res/<method>", methods=["GET", "POST"])
    def peoplevine(method: str) -> Response:
        query = {name: value for name, value in request.args.items() if isinstance(value, str)}
        asked = json_body()
        account, verb = _accounts(front).of(query), request.method
        counter = Counter(
            _NAME,
            perform=lambda: _accounts(front).of(query).call(verb, method, query, asked),
            refuse=lambda fault: account.failure(fault.message or "Internal error"),
        )
        shown = {name: MASK if name in CREDENTIALS else value for name, value in query.items()}
        return front.answer(counter, method, query=shown, body=asked, system=account.system)


def _accounts(front: Front) -> Accounts:
    """Asked for anew each time: a reset puts others in their place."""
    accounts: Accounts = front.state.vendors[_NAME]
    return accounts


_TOLD: Final = """At `/res/…`: the account `sandbox`, and behind `sandbox-book4time`, `sandbox-sevenrooms` and
`sandbox-tripleseat` those systems. Its control: `POST members` and `DELETE members` `{"id", "auth_id"}` add and take
away a member; `POST changes` `{"what", "id", "at", "auth_id"}` has a profile or a reservation change behind it;
`POST statuses` `{"id", "status", "auth_id"}` gives a reservation in SevenRooms a status."""

PEOPLEVINE: Final = Pretended(
    _NAME,
    switches=PeoplevineSwitches,
    seed=PeoplevineSeeds,
    open=Accounts,
    serve=_serve,
    control=add_control,
    told=_TOLD,
)
