"""The audit's chain tells the first row that does not fit, and what was done to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bellhop.ledger.chain import FORGET, ChainEnds, ChainWalk, hash_row, hash_words, tell_erased
from bellhop.ledger.records import AuditRow, ChainLink, ChainReport

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def chained(act: AuditRow, number: int, prev: str) -> AuditRow:
    words = hash_words(act.why, act.what)
    return replace(act, link=ChainLink(number, prev, words, hash_row(prev, number, act, words)))


def chain(count: int = 6) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for number in range(1, count + 1):
        act = AuditRow(NOON + timedelta(seconds=number), "ann", "discard", number, f"why {number}")
        rows.append(chained(act, number, rows[-1].link.hash if rows else ""))
    return rows


def ends(rows: list[AuditRow]) -> ChainEnds:
    return ChainEnds(0, "", rows[-1].link.id, rows[-1].link.hash)


def look(rows: list[AuditRow], whole: list[AuditRow], noted: tuple[int, str] | None = None) -> ChainReport:
    walk = ChainWalk(ends(whole), noted)
    walk.walk(rows)
    return walk.report(ends(whole))


def broken(rows: list[AuditRow], noted: tuple[int, str] | None = None) -> tuple[int, str] | None:
    found = look(rows, chain(), noted).broken
    return (found.row, found.what) if found else None


def test_a_whole_chain_is_whole_and_tells_its_end() -> None:
    rows = chain()
    assert look(rows, rows) == ChainReport(6, 0, 6, rows[-1].link.hash, None)


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize(
    "change", [{"who": "ben"}, {"why": "other"}, {"what": "job 1"}, {"letter": None}, {"act": "note"}, {"at": NOON}]
)
def test_a_row_of_another_content_was_changed(place: int, change: dict[str, object]) -> None:
    rows = chain()
    rows[place] = replace(rows[place], **change)  # type: ignore[arg-type]
    assert broken(rows) == (place + 1, "changed")


@pytest.mark.parametrize("place", range(6))
def test_a_row_that_is_chained_anew_after_a_change_was_changed(place: int) -> None:
    rows = chain()
    rows[place] = chained(replace(rows[place], why="other"), place + 1, rows[place].link.prev)
    assert broken(rows) == (place + 1, "changed")


@pytest.mark.parametrize("place", range(6))
def test_a_row_that_was_taken_out_is_missing(place: int) -> None:
    rows = chain()
    del rows[place]
    assert broken(rows) == (place + 1, "missing")


def test_all_rows_taken_out_are_missing() -> None:
    assert broken([]) == (1, "missing")


@pytest.mark.parametrize("prev", ["", "the row before", "the next row", "f" * 64])
@pytest.mark.parametrize("place", [1, 3, 6])
def test_a_row_that_was_put_in_was_inserted(place: int, prev: str) -> None:
    """Between two of them, where numbers leave room: a transaction that failed used one up."""
    rows = chain()
    spread = [chained(row, 10 * row.link.id, "") for row in rows]
    for number, row in enumerate(spread):
        spread[number] = chained(row, row.link.id, spread[number - 1].link.hash if number else "")
    known = {"the row before": spread[place - 1].link.hash, "the next row": spread[min(place, 5)].link.hash}
    put_in = chained(AuditRow(NOON, "eve", "replay", 1, "me"), 10 * place + 5, known.get(prev, prev))
    found = look([*spread[:place], put_in, *spread[place:]], spread).broken
    assert found is not None
    assert (found.row, found.what) == (10 * place + 5, "inserted")


def test_a_row_that_was_put_in_without_a_hash_was_inserted() -> None:
    rows = [*chain(), replace(AuditRow(NOON, "eve", "replay", 1, "me"), link=ChainLink(7))]
    assert broken(rows) == (7, "inserted")


def test_a_chain_that_was_written_anew_is_found_by_a_hash_noted_elsewhere() -> None:
    before = chain()
    rows = [replace(row, who="eve") for row in before]
    for number, row in enumerate(rows):
        rows[number] = chained(row, number + 1, rows[number - 1].link.hash if number else "")
    assert look(rows, rows).broken is None
    found = look(rows, rows, (4, before[3].link.hash)).broken
    assert found is not None
    assert (found.row, found.what) == (4, "changed")


def test_a_noted_row_beyond_the_end_is_missing() -> None:
    assert broken(chain(), (9, "f" * 64)) == (9, "missing")


def test_a_chain_whose_oldest_rows_were_pruned_holds_from_there() -> None:
    rows = chain()
    walk = ChainWalk(ChainEnds(2, rows[1].link.hash, 6, rows[5].link.hash))
    walk.walk(rows[2:])
    assert walk.report(walk.ends).broken is None
    walk = ChainWalk(ChainEnds(2, rows[1].link.hash, 6, rows[5].link.hash))
    walk.walk(rows[3:])
    found = walk.report(walk.ends).broken
    assert found is not None
    assert (found.row, found.what) == (3, "missing")


@pytest.mark.parametrize(("number", "what"), [(1, "missing"), (2, None), (3, None), (6, None)])
def test_a_noted_row_is_known_from_the_last_one_that_was_pruned_on(number: int, what: str | None) -> None:
    rows = chain()
    for hash_, told in ((rows[number - 1].link.hash, what), ("f" * 64, what or "changed")):
        walk = ChainWalk(ChainEnds(2, rows[1].link.hash, 6, rows[5].link.hash), (number, hash_))
        walk.walk(rows[2:])
        found = walk.report(walk.ends).broken
        assert (found.what if found else None) == told


def erase(row: AuditRow, by: int) -> AuditRow:
    return replace(row, why="", what="", link=replace(row.link, forgotten=by))


def test_words_that_an_act_of_forgetting_erased_are_no_break() -> None:
    rows = chain()
    act = AuditRow(NOON, "ann", FORGET, None, "asked", tell_erased([2, 4]))
    rows.append(chained(act, 7, rows[-1].link.hash))
    erased = [erase(row, 7) if row.link.id in (2, 4) else row for row in rows]
    assert look(erased, rows).broken is None


def test_words_that_no_act_of_forgetting_tells_of_were_taken_away() -> None:
    rows = chain()
    act = AuditRow(NOON, "ann", FORGET, None, "asked", tell_erased([2]))
    rows.append(chained(act, 7, rows[-1].link.hash))
    erased = [erase(row, 7) if row.link.id in (2, 3) else row for row in rows]
    found = look(erased, rows).broken
    assert found is not None
    assert (found.row, found.what) == (3, "changed")


def test_erased_words_do_not_come_back_as_others() -> None:
    rows = chain()
    rows[1] = replace(rows[1], why="other", link=replace(rows[1].link, forgotten=6))
    assert broken(rows) == (2, "changed")
