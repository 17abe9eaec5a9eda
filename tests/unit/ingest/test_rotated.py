from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bellhop.ingest.rotated import RotatedSecrets
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.rotations import SecretRotation, rotate
from bellhop.schemas.settings import Settings
from bellhop.vendors.settings import build

OLD = "whsec_" + "A" * 40
DAY = timedelta(days=1)


class Ledger:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 12, tzinfo=UTC)
        self.rows: list[SecretRotation] = []
        self.away = False

    def clock(self) -> datetime:
        return self.now

    def rotations(self) -> Mapping[str, Sequence[SecretRotation]]:
        if self.away:
            raise LedgerUnavailable("connection refused")
        return {"crm": list(self.rows)} if self.rows else {}

    def note_rotations(self, numbers: Sequence[int]) -> None:
        self.rows = [replace(one, taken=one.taken or self.now) for one in self.rows if one.number in numbers]

    def rotate(self) -> str:
        made, new = rotate("crm", "standard-webhooks", [OLD], self.rows, now=self.now, ends=self.now + DAY, who="ann")
        self.rows.append(replace(made, number=len(self.rows) + 1))
        return new


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def crm() -> Settings:
    return build({"sources": {"crm": {"verifier": "standard-webhooks", "secrets": [OLD]}}})


def secrets(rotated: RotatedSecrets, crm: Settings) -> set[str]:
    return set(rotated.over(crm).sources["crm"].secrets)


def test_a_rotated_secret_is_good_beside_the_old_one_until_the_overlap_ends(ledger: Ledger, crm: Settings) -> None:
    rotated = RotatedSecrets(ledger, now=ledger.clock)
    assert secrets(rotated, crm) == {OLD}
    new = ledger.rotate()

    assert rotated.look(crm)
    assert secrets(rotated, crm) == {OLD, new}
    ledger.now += DAY
    assert rotated.look(crm)
    assert secrets(rotated, crm) == {new}


def test_nothing_is_made_anew_while_nothing_is_new(ledger: Ledger, crm: Settings) -> None:
    rotated = RotatedSecrets(ledger, now=ledger.clock)
    rotated.over(crm)
    assert not rotated.look(crm)

    ledger.rotate()
    assert rotated.look(crm)
    rotated.over(crm)

    assert not rotated.look(crm)


def test_what_was_read_last_counts_while_the_ledger_is_away(ledger: Ledger, crm: Settings) -> None:
    rotated = RotatedSecrets(ledger, now=ledger.clock)
    new = ledger.rotate()
    rotated.look(crm)
    ledger.away = True

    with pytest.raises(LedgerUnavailable):
        rotated.look(crm)
    assert secrets(rotated, crm) == {OLD, new}
    assert rotated.is_known


def test_secrets_are_not_known_before_the_ledger_was_read(ledger: Ledger, crm: Settings) -> None:
    rotated = RotatedSecrets(ledger, now=ledger.clock)
    ledger.away = True
    with pytest.raises(LedgerUnavailable):
        rotated.look(crm)

    assert not rotated.is_known


def test_that_a_rotation_is_taken_is_told_once_it_is_in_use(ledger: Ledger, crm: Settings) -> None:
    rotated = RotatedSecrets(ledger, now=ledger.clock)
    ledger.rotate()
    rotated.look(crm)
    rotated.note_used()
    assert ledger.rows[0].taken is None

    rotated.over(crm)
    rotated.note_used()

    assert ledger.rows[0].taken == ledger.now
