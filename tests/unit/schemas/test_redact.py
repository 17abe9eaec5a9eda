from __future__ import annotations

import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.schemas.redact import MASK, Redactor, learn_secret, learn_settings

SECRET = 'p@ss w/rd"ä'
REDACTOR = Redactor([SECRET, "aid-4711", "abc", ""])


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"logged in with {SECRET}!",
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps({"a": SECRET}),
        f"amqp://user:{SECRET}@host/",
        f"https://x.test/?q={quote(SECRET)}",
        repr(ValueError(f"GET /res/products?auth_id=aid-4711&x={quote_plus(SECRET)}")),
    ],
)
def test_a_known_secret_is_masked_wherever_it_stands_and_however_it_is_written(text: str) -> None:
    masked = REDACTOR.text(text)
    for form in (SECRET, "p@ss", "p%40ss", "aid-4711", "rd"):
        assert form not in masked.replace("x.test", "")


@given(st.text(min_size=4), st.text(), st.text())
def test_no_text_around_it_lets_a_secret_through(secret: str, before: str, after: str) -> None:
    masked = Redactor([secret]).text(before + secret + after)
    assert secret not in masked.replace(MASK, "")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "GET /res/x?auth_id=1&company=2&user=u&pass=p&member_id=9",
            "/res/x?auth_id=***&company=***&user=***&pass=***&member_id=9",
        ),
        ("access_token=abc&n=1", "access_token=***&n=1"),
        ("sign=0f3a hash=77", "sign=*** hash=***"),
        ("amqp://bellhop:secret@rabbit-1/", "amqp://***@rabbit-1/"),
        ("postgresql+psycopg://u:p@w:x@db/bellhop", "postgresql+psycopg://***@db/bellhop"),
        ("amqp://a:1@h1/,amqp://b:2@h2/", "amqp://***@h1/,amqp://***@h2/"),
        ("Authorization: Bearer abcdefgh.123", "Bearer ***"),
        ('{"token": "abc", "n": 1}', '{"token": "***", "n": 1}'),
        ('{"api_key":"a\\"b","n":1}', '{"api_key":"***","n":1}'),
        ("{'password': 'abc', 'n': 1}", "{'password': '***', 'n': 1}"),
        ('{"token":"cut off in the mid', '{"token":"***"'),
        ('{"token":"cut off in the mid\\', '{"token":"***"'),
        ('"X-User-Token" : "abc"', '"X-User-Token" : "***"'),
    ],
)
def test_what_is_secret_by_its_name_is_masked_though_its_value_is_unknown(text: str, masked: str) -> None:
    assert masked in Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    [
        "no free slot at 10:00 for member_id=9",
        "see https://example.test/path?email=a@b.test",
        "the bearer of this letter",
        '{"content_hash": "abc", "member_id": "9"}',
        "design=oak",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert REDACTOR.text(text) == text


def test_a_json_value_is_masked_at_every_depth_by_name_and_by_value() -> None:
    value = {
        "Password": "x",
        "booking_hash": "y",
        "bookingHash": "y",
        "secretKey": "y",
        "X-Token": {"any": 1},
        "token": "",
        "token_count": 2,
        "list": [{"note": f"with {SECRET}"}, ("aid-4711", 3, None, True)],
        "content_hash": "kept",
    }
    assert REDACTOR.value(value) == {
        "Password": MASK,
        "booking_hash": MASK,
        "bookingHash": MASK,
        "secretKey": MASK,
        "X-Token": MASK,
        "token": "",
        "token_count": 2,
        "list": [{"note": f"with {MASK}"}, [MASK, 3, None, True]],
        "content_hash": "kept",
    }


def test_a_secret_too_short_to_look_for_does_not_mask_everything() -> None:
    assert REDACTOR.text("abc is the alphabet's beginning") == "abc is the alphabet's beginning"


def test_without_secrets_it_changes_nothing() -> None:
    assert Redactor().text("plain") == "plain"


def test_a_long_text_takes_no_long_time() -> None:
    hostile = '"' * 20_000 + "token" * 20_000 + '"password":"' + "\\" * 20_000
    assert Redactor(["secret"]).text(hostile)  # the suite's time-out is the limit


# --- by where it stands -------------------------------------------------------------------------------------------

PLAIN = ["bellhop", "club-1", "wintersun", "2024", "hunter2"]
OURS = Redactor(PLAIN, names={"club-1", "members"})


@pytest.mark.parametrize(
    "text",
    [
        "no queue bellhop.work.members",
        "is `bellhop archive` running?",
        "bellhop: the ledger is away",
        "account club-1 is away; venue club-1",
        "at 2024-05-10 12:00, after 2024 tries",
        "user is not found",
        "bellhop-bookings@0.1.0",
    ],
)
def test_a_secret_that_is_a_plain_word_masks_none_of_our_own(text: str) -> None:
    assert OURS.text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Login failed for user bellhop", "Login failed for user ***"),
        ("user 'bellhop' is unknown", "user '***' is unknown"),
        ("User name: bellhop.", "User name: ***."),
        ("Company club-1 not found", "Company *** not found"),
        ("the password wintersun is wrong", "the password *** is wrong"),
        ("company=2024 pass=wintersun", "company=*** pass=***"),
        ('{"user": "bellhop", "queue": "bellhop.dead"}', '{"user": "***", "queue": "bellhop.dead"}'),
        ("amqp://bellhop:wintersun@rabbit/", "amqp://***@rabbit/"),
        ("hunter2 was refused", "*** was refused"),
    ],
)
def test_a_plain_word_is_masked_where_a_secret_stands_and_any_other_secret_wherever(text: str, masked: str) -> None:
    assert OURS.text(text) == masked


def test_of_a_json_value_the_names_of_ours_stay() -> None:
    value = {"queue": "bellhop.work.members", "account": "club-1", "user": "bellhop", "error": "for user bellhop"}
    assert OURS.value(value) == value | {"user": MASK, "error": f"for user {MASK}"}


def test_what_others_wrote_is_masked_by_its_text_whatever_word_it_is() -> None:
    assert Redactor(PLAIN).text("wintersun was refused, says bellhop") == f"{MASK} was refused, says {MASK}"


HARD = "p@ss w/rd\"ä<&>'\\+😀x"


@pytest.mark.parametrize(
    "written",
    [
        *(HARD, quote(HARD), quote(HARD, safe=""), quote_plus(HARD), quote(HARD, safe="").lower(), quote(quote(HARD))),
        *(json.dumps(HARD), json.dumps(HARD, ensure_ascii=False), json.dumps(json.dumps(HARD))),
        json.dumps(HARD).replace("/", "\\/"),
        *(escape(HARD), escape(HARD, quote=False), escape(escape(HARD)), escape(json.dumps(HARD))),
        "".join(one if one.isalnum() else f"&#{ord(one)};" for one in HARD),
        "".join(one if one.isalnum() else f"&#x{ord(one):X};" for one in HARD),
    ],
)
def test_a_secret_is_masked_however_html_urls_and_json_write_it(written: str) -> None:
    assert (
        Redactor([HARD]).text(f"said {written} to us").replace('"', "").replace("\\", "").replace("&quot;", "")
        == f"said {MASK} to us"
    )


def test_what_is_learnt_at_run_time_is_masked_by_every_redactor() -> None:
    before = Redactor()
    assert before.text("by tok/en-learnt-7") == "by tok/en-learnt-7"
    learn_secret("tok/en-learnt-7")
    assert before.text("by tok/en-learnt-7") == f"by {MASK}"
    assert Redactor(["other"]).value({"a": ["tok%2Fen-learnt-7"]}) == {"a": [MASK]}


def test_a_plain_word_of_settings_read_anew_is_masked_where_it_stands_as_a_secret_alone() -> None:
    before = Redactor(["of-settings"], names=["salon"])
    learn_settings(["midsummer", "salonname", "new-secret-1"], names=["salonname"])
    told = "password midsummer, user: salonname, new-secret-1; midsummer is a season of salonname"
    masked = f"password {MASK}, user: {MASK}, {MASK}; midsummer is a season of salonname"
    assert before.text(told) == masked


def test_what_was_sent_with_a_call_is_masked_in_its_answer_alone() -> None:
    redactor = Redactor(["of-settings"])
    assert redactor.also(["a-signature"]).text("a-signature of-settings") == f"{MASK} {MASK}"
    assert redactor.text("a-signature of-settings") == f"a-signature {MASK}"


def test_half_a_secret_at_the_end_of_what_was_cut_off_is_masked() -> None:
    assert Redactor(["of-settings"]).cut_text("it said of-sett") == f"it said {MASK}"
    assert Redactor(["of-settings"]).cut_text("it said of-sett.") == "it said of-sett."


def test_a_secret_that_is_a_name_in_an_answer_is_masked() -> None:
    assert Redactor(["of-settings"]).value({"of-settings": {"of-settings": 1}}) == {MASK: {MASK: 1}}
