"""What a letter's page advises is what the runbook says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bellhop.ledger.records import Letter, LetterState
from bellhop.letters.advice import RightAct, advise
from bellhop.schemas.reasons import Reason
from bellhop.schemas.results import RESULTS_ROUTE
from tests.support.ledger import NOON, event, letter

RUNBOOK = (Path(__file__).resolve().parents[3] / "docs" / "runbook.md").read_text()


def _section(title: str) -> str:
    return " ".join(RUNBOOK.partition(f"### {title}\n")[2].partition("\n#")[0].split())


def _dead(reason: Reason, route: str = "members") -> Letter:
    return Letter(1, replace(letter(event(), reason), route=route), LetterState.OPEN, NOON)


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_is_advised_in_the_runbooks_words(reason: Reason) -> None:
    advice = advise(_dead(reason))
    assert advice is not None
    section = _section(f"`{reason.value}`")
    assert f"- **Do.** {advice.do} - **Do not.** {advice.do_not}" in section
    # Nobody is led to what the runbook warns of.
    assert (advice.act is RightAct.REPLAY) is (
        "replay" in advice.do and reason not in (Reason.IN_DOUBT, Reason.CONFLICT)
    )


def test_a_result_that_was_not_taken_is_advised_of_its_receiver() -> None:
    advice = advise(_dead(Reason.EXHAUSTED, RESULTS_ROUTE))
    assert advice is not None
    assert advice.do in _section("Dead letters of the route `results`")
