"""Peoplevine's own control: its members, and what changed behind it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, jsonify

from bellhop.sandbox.front import control_object
from bellhop.sandbox.peoplevine.answers import id_of
from bellhop.sandbox.peoplevine.app import CHANGES, Accounts, Peoplevine
from bellhop.sandbox.peoplevine.seed import Change
from bellhop.sandbox.switch import ControlError, comma_list

STATUSES: Final = (
    *("HOLD", "NOT_RECONCILED", "BOOKED", "LEFT_MESSAGE", "NO_ANSWER", "WRONG_NUMBER", "CONFIRMED", "PRE_ARRIVED"),
    *("PREPARTIALLYARRIVED", "LATE", "CANCELED", "NO_SHOW", "NO_ENTRY"),
    *("ARRIVED", "SEATED", "PAID", "COMPLETE"),
)
"""SevenRooms': the thirteen of `sevenrooms-setup`, and those that were seen on the live API. A venue defines others."""
_CUSTOM_STATUS: Final = re.compile(r"CUSTOM_STATUS_\d{1,4}", re.ASCII)

if TYPE_CHECKING:
    from bellhop.sandbox.state import SandboxState


def add_control(control: Blueprint, state: SandboxState) -> None:
    @control.post("/members")
    def add_member() -> Response:
        member = _member()
        with state.lock:
            _account(state).members.add(member)
        return jsonify(id=member)

    @control.delete("/members")
    def remove_member() -> Response:
        member = _member()
        with state.lock:
            _account(state).members.discard(member)
        return jsonify(id=member)

    @control.post("/changes")
    def add_change() -> Response:
        """A profile or reservation was created or updated behind Peoplevine: `{"what", "id", "at", "auth_id"}`."""
        change = _change(state.now())
        with state.lock:
            _account(state).changes.append(change)
        return jsonify(what=change.what, id=change.id, at=change.at.isoformat())

    @control.post("/statuses")
    def set_status() -> Response:
        """A reservation in SevenRooms gets a status: `{"id", "status", "auth_id"}`."""
        given = control_object()
        id_, status = id_of(given.get("id")), given.get("status")
        if not isinstance(status, str) or not (status in STATUSES or _CUSTOM_STATUS.fullmatch(status)):
            raise ControlError(f"status must be CUSTOM_STATUS_ and a number, or one of {comma_list(STATUSES)}")
        with state.lock:
            if not _account(state).set_status(id_, status):
                raise ControlError("id must be that of a reservation in SevenRooms")
        return jsonify(id=id_, status=status)


def _member() -> str:
    member = id_of(control_object().get("id"))
    if not member:
        raise ControlError("id must be a member's id, a text or a whole number")
    return member


def _account(state: SandboxState) -> Peoplevine:
    """The account of the body's auth_id; the first where it has none."""
    accounts: Accounts = state.vendors["peoplevine"]
    account = accounts.find(control_object().get("auth_id"))
    if account is None:
        raise ControlError("auth_id must be that of an account")
    return account


def _change(now: datetime) -> Change:
    given = control_object()
    what, id_, at = given.get("what"), id_of(given.get("id")), given.get("at", now.isoformat())
    if not isinstance(what, str) or what not in CHANGES:
        raise ControlError(f"what must be one of {', '.join(CHANGES)}")
    if not id_:
        raise ControlError("id must be a text or a whole number")
    try:
        moment = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        raise ControlError("at must be an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise ControlError("at must have an offset")
    return Change(what, id_, moment)
