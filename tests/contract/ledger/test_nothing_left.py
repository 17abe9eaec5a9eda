"""Every column of every table that may hold others' words is filled with a guest, who is then gone from all of them. A
column that is new is filled too: it is erased, or stands in the list of those that never hold a guest, with why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from typing import Any, Final

import pytest
import sqlalchemy as sa

from bellhop.ledger.forgetting import ForgetRefused
from bellhop.ledger.records import Entry
from bellhop.ledger.store import Ledger
from bellhop.ledger.tables import MomentColumn, Prose, audit, metadata
from tests.support.ledger import NOON, Clock, booking, die, entry, event, finish, letter

GUEST: Final = {"name": "Zoë Quill", "email": "Zoe.Quill@example.com", "phone": "+1 604 555 0177"}
SAID: Final = "Zoë Quill (Zoe.Quill@example.com, +1 604 555 0177) is unknown"
CANARIES: Final = ("quill", "zoë", "zo\\u00eb", "555 0177")
MEMBER: Final = "MQ-4471"
ENOUGH: Final = {sa.JSON: [], sa.Boolean: False}
TOLD: Final = {"client": GUEST, "member_id": MEMBER, "services": [{"start": NOON.isoformat()}]}


def named(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Columns that never hold a guest, whatever the table: words of ours and hashes; what processes say of themselves; names
# of the settings; ids, which stay so that duplicates are known (a member's is replaced, see `test_forgetting`); staff.
NEVER: Final = named(
    "said state verdict kind act role outcome method day limit told_severity pending",
    "prev words_hash hash before_hash last_hash fingerprint content_hash digest salt sha256 csrf",
    "password_hash token login_by version host routes needs incident business_key",
    "source account route type receiver pull_by run_by claimed_by question company",
    "event_id subject reference replaced_by message_id vendor_id signed_id became asked_as id",
    "who assignee approver name user_name asked_by venue nonce base retires",
)
NEVER_OF: Final = {
    "alerts.key": "a need of ours and a name of the settings, or a hash",
    "dead_letters.reason": "one of a closed set",
    "events.reason": "one of a closed set",
    "events.calling": "a call in doubt: forgetting is refused, and after a week it is still looked for",
    "parts.problem": "what is wrong with settings, which name no guest",
    "refused_posts.reason": "one of a closed set",
    "silences.why": "words of ours",
    "take_asks.cause": "a field and its rule",
    "vendor_answers.answer": "what a vendor says of a company: services, prices, forms",
    "watermarks.what": "a word of ours",
}
NEVER_OF_ENTRIES: Final = named(
    "vendor_id line made_by state secret_hash slot code batch batch_hash took cancelled_by changed_by account start",
    "end gave_way left_by warnings unpaid_until differs asked left",
)
"""What a booking's entry has of ids, times, slots and words of ours; `asked` and `left` have a column of their own."""
OUTLASTING: Final = named(
    "audit.why audit.what jobs.why pauses.why floods.reason restores.why reloads.why source_links.why take_asks.why",
    "take_asks.answer",
    "alerts.facts alerts.error",
)
"""What outlasts `keep_payload`: people's own reasons, and alerts, which go once they are over."""


def may_name_a_guest(column: sa.Column[Any]) -> bool:
    is_text = isinstance(column.type, sa.Text | sa.JSON | sa.LargeBinary | Prose)
    return is_text and column.name not in NEVER and f"{column.table.name}.{column.name}" not in NEVER_OF


def value_for(column: sa.Column[Any]) -> Any:
    """A guest, in a column that may hold one; else what a row must have."""
    if not may_name_a_guest(column):
        is_text = isinstance(column.type, sa.Text | Prose)
        return NOON if isinstance(column.type, MomentColumn) else "x" if is_text else ENOUGH.get(type(column.type), 1)
    if column.name == "entries":
        known = {field.name for field in fields(Entry)} - NEVER_OF_ENTRIES
        row = {"vendor_id": "v-1", "line": 0, "made_by": "e-1", "state": "confirmed", "account": "sb"}
        return [row | dict.fromkeys(known, SAID)]
    if isinstance(column.type, sa.JSON):
        return {"client": GUEST, "said": SAID}
    return SAID.encode() if isinstance(column.type, sa.LargeBinary) else SAID


def plant(engine: sa.Engine) -> None:
    """A row in each table, at least, and a guest in each column that may hold one."""
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            planted = {column.name: value_for(column) for column in table.c if may_name_a_guest(column)}
            if connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0:
                beside = {column.name: value_for(column) for column in table.c if not column.nullable}
                connection.execute(sa.insert(table), {**beside, **planted})
            elif planted and table is not audit:  # whose words its chain holds
                connection.execute(sa.update(table).values(planted))


def holding_the_guest(engine: sa.Engine) -> set[str]:
    found = set()
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings():
                for name, value in row.items():
                    text = str(bytes(value) if isinstance(value, memoryview) else value).lower()
                    found |= {f"{table}.{name}"} if any(canary in text for canary in CANARIES) else set()
    return found


@pytest.fixture
def engine(ledger_url: str) -> Iterator[sa.Engine]:
    made = sa.create_engine(ledger_url.replace("postgresql:", "postgresql+psycopg:"))
    yield made
    made.dispose()


@pytest.fixture
def brief(ledger_url: str, clock: Clock) -> Iterator[Ledger]:
    week = 7 * 86400
    with closing(Ledger.open(ledger_url, keep_seconds=90 * 86400, keep_payload_seconds=week, now=clock)) as opened:
        yield opened


def fill(ledger: Ledger, engine: sa.Engine) -> None:
    gone = event("e-1", subject="R-1", data=TOLD)
    die(ledger, gone)
    ledger.letters.archive([letter(gone)])
    ledger.letters.note(1, "ann", SAID)
    ledger.edits.propose(1, "ann", SAID, b"{}")
    ledger.letters.discard([1], "ann", SAID)
    ledger.letters.note_act("ann", "call vendor", SAID, SAID)
    finish(ledger, event("m-1", "member.updated", subject=MEMBER, data={"profile": GUEST}))
    plant(engine)


def test_a_forgotten_guest_stands_in_no_column_of_any_table(ledger: Ledger, engine: sa.Engine) -> None:
    fill(ledger, engine)
    assert {f"{c.table.name}.{c.name}" for t in metadata.sorted_tables for c in t.c if may_name_a_guest(c)} <= (
        holding_the_guest(engine)
    ), "each that may hold a guest does"
    ledger.forgetting.forget("Zoe.Quill@example.com", "ann", "asked for it")
    assert holding_the_guest(engine) == set(), "erase it in `ledger.loose_words`, or say above why it holds no guest"
    assert ledger.audit_chain.verify().broken is None


def test_a_week_after_the_end_only_peoples_own_reasons_may_name_a_guest(
    brief: Ledger, engine: sa.Engine, clock: Clock
) -> None:
    fill(brief, engine)
    clock.advance(days=9)
    brief.prune()
    assert holding_the_guest(engine) <= OUTLASTING


def test_a_full_name_and_a_telephone_are_known_in_what_people_wrote_and_a_first_name_is_not(ledger: Ledger) -> None:
    finish(ledger, event("e-1", data=TOLD), booking=booking(entry("v-1", asked={"client": GUEST})))
    for route, why in (("members", "zoe QUILL rang"), ("pulls", "ring 604-555-0177"), ("results", "Zoë, 604 555 0178")):
        ledger.pauses.pause(route, "ann", why)
    ledger.forgetting.forget("zoe.quill@example.com", "ann", "asked for it", also_open=True)
    assert [pause.why for pause in ledger.pauses.all()] == ["(erased)", "(erased)", "Zoë, 604 555 0178"]


@pytest.mark.parametrize("why", ["Zoë Quill wrote", "request of MQ-4471", "+1 (604) 555-0177 rang"])
def test_a_reason_that_names_the_guest_in_any_way_is_refused(ledger: Ledger, why: str) -> None:
    finish(ledger, event("e-1", data=TOLD), booking=booking(entry("v-1", asked={"client": GUEST})))
    with pytest.raises(ForgetRefused, match="names the guest"):
        ledger.forgetting.forget(MEMBER, "ann", why)


def test_a_reason_with_a_number_that_holds_a_short_id_is_taken(ledger: Ledger) -> None:
    finish(ledger, event("m-1", "member.updated", subject="77", data={"profile": GUEST}))
    assert ledger.forgetting.forget("77", "ann", "request 1077").events == 1
