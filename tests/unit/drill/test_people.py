"""The person of a drill: when he answers what is in doubt."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bellhop.drill.faults.people import LAIN_SECONDS, may_be_told
from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import RESTORED, Doubt, Letter, LetterState, State, VendorCall
from bellhop.ledger.store import Ledger
from bellhop.schemas.reasons import Reason
from bellhop.schemas.settings import Settings
from tests.support.ledger import BOOK, NOON, event, letter

SETTINGS = cast(
    Settings,
    SimpleNamespace(accounts={"sb": SimpleNamespace(kind="simplybook"), "pv": SimpleNamespace(kind="peoplevine")}),
)
AGES = {"young": NOON.timestamp() + 1, "old": NOON.timestamp() + LAIN_SECONDS + 1}


class Proofs:
    def __init__(self, call: VendorCall | None) -> None:
        self._call = call

    def of_letter(self, letter: Letter) -> Doubt:
        if self._call is None:
            raise WordRefused("it waits for another of its booking")
        return Doubt(1, "crm", letter.new.event_id, "R-1", State.DEAD, self._call, NOON, frozenset(), True)


@pytest.mark.parametrize(
    ("call", "reason", "age", "waits"),
    [
        (BOOK, Reason.IN_DOUBT, "young", True),
        (BOOK, Reason.IN_DOUBT, "old", False),
        (None, Reason.IN_DOUBT, "young", True),
        (replace(BOOK, account="pv"), Reason.IN_DOUBT, "young", False),
        (replace(BOOK, method=RESTORED), Reason.IN_DOUBT, "young", False),
        (None, Reason.REJECTED, "young", False),
    ],
)
def test_he_leaves_alone_what_a_callback_may_still_tell_of_and_nothing_else(
    call: VendorCall | None, reason: Reason, age: str, waits: bool
) -> None:
    new = replace(letter(event("e-1"), reason), died=NOON)
    ledger = cast(Ledger, cast(Any, SimpleNamespace(proofs=Proofs(call))))
    assert may_be_told(SETTINGS, ledger, Letter(1, new, LetterState.OPEN, NOON), AGES[age]) is waits
