"""A source's secret is rotated by what the ledger keeps and the settings know, together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.ingest.verify import TABLE
from bellhop.schemas.rotations import SecretRotation, as_told, good_secrets, rotate

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OLD = "whsec_" + "A" * 40
DAY = timedelta(days=1)
KIND = "standard-webhooks"


def turn(
    secrets: list[str], earlier: list[SecretRotation], now: datetime = NOW, nonce: str = "ab" * 32
) -> tuple[SecretRotation, str]:
    return rotate("crm", KIND, secrets, earlier, now=now, ends=now + DAY, who="ann", unique=lambda: nonce)


def test_both_secrets_are_good_until_the_overlap_ends_and_then_the_new_one_alone() -> None:
    made, new = turn([OLD], [])

    assert set(good_secrets(KIND, [OLD], [made], NOW)) == {new, OLD}
    assert good_secrets(KIND, [OLD], [made], NOW + DAY) == (new,)


def test_what_is_kept_of_a_rotation_holds_neither_secret() -> None:
    made, new = turn([OLD], [])

    assert new not in repr(made)
    assert OLD not in repr(made)


def test_a_secret_that_is_rotated_twice_is_retired_in_its_turn() -> None:
    first, one = turn([OLD], [])
    second, two = turn([OLD], [first], NOW + DAY / 2, nonce="cd" * 32)

    assert set(good_secrets(KIND, [OLD], [first, second], NOW + DAY / 2)) == {two, one, OLD}
    assert set(good_secrets(KIND, [OLD], [first, second], NOW + DAY)) == {two, one}
    assert good_secrets(KIND, [OLD], [first, second], NOW + 1.5 * DAY) == (two,)


def test_the_settings_have_all_once_the_new_secret_stands_in_them_alone() -> None:
    made, new = turn([OLD], [])

    assert good_secrets(KIND, [new], [made], NOW + 9 * DAY) == (new,)


def test_a_secret_that_the_settings_get_later_is_good() -> None:
    made, new = turn([OLD], [])
    fresh = "whsec_" + "B" * 40

    assert set(good_secrets(KIND, [OLD, fresh], [made], NOW + 9 * DAY)) == {new, fresh}


def test_a_rotation_ends_with_the_secret_it_was_made_of() -> None:
    made, _ = turn([OLD], [])
    fresh = "whsec_" + "B" * 40

    assert good_secrets(KIND, [fresh], [made], NOW) == (fresh,)


@pytest.mark.parametrize("verifier", TABLE)
def test_a_new_secret_is_one_that_its_verifier_takes(verifier: str) -> None:
    base = OLD if verifier == KIND else "a-secret-of-24-characters"
    _, new = rotate("crm", verifier, [base], [], now=NOW, ends=NOW, who="ann")

    TABLE[verifier].key(new)


def test_a_new_secret_is_a_text_where_the_old_one_was_one() -> None:
    _, new = turn(["raw:" + "x" * 24], [])

    assert new == "raw:" + as_told(new)
    TABLE[KIND].key(new)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=4), st.integers(0, 200))
def test_the_newest_secret_is_good_at_all_times_and_none_comes_back(hours: list[int], later: int) -> None:
    now, made, newest = NOW, list[SecretRotation](), OLD
    for place, gap in enumerate(hours):
        now += timedelta(hours=gap)
        before = set(good_secrets(KIND, [OLD], made, now))
        one, newest = turn([OLD], made, now, nonce=f"{place:064x}")
        made.append(one)
        assert set(good_secrets(KIND, [OLD], made, now)) == before | {newest}
    first = good_secrets(KIND, [OLD], made, now + timedelta(hours=later))
    assert newest in first
    assert set(good_secrets(KIND, [OLD], made, now + timedelta(hours=later + 1))) <= set(first)
