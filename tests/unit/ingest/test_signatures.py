"""The signatures of one vendor each, by their documented formulas, and secrets in an address."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.ingest.verify import TABLE, AddressSecrets, NotVerified, Verifier, verifiers
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.settings import SourceSettings

BODY = b'{"a":1}'
KEY = "secret"
AT = datetime.fromtimestamp(1700000000, UTC)
TIMED = "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
PLAIN = {
    "acuity": ("X-Acuity-Signature", "qp4uNXX11wmLbKzNeQiIw21f22M0KnO62i1qUXR6hJQ="),
    "mindbody": ("X-Mindbody-Signature", "sha256=qp4uNXX11wmLbKzNeQiIw21f22M0KnO62i1qUXR6hJQ="),
    "calcom": ("X-Cal-Signature-256", "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494"),
    "square": ("x-square-hmacsha256-signature", "hZ8qfusjc/1ThWzMYZE9tyVI58ShsctQWmo/IQWdzHw="),
}
TIMELY = {"calendly": "Calendly-Webhook-Signature", "tripleseat": "X-Signature"}
HEADERS = {name: header for name, (header, _) in PLAIN.items()} | TIMELY
ADDRESS_SECRET = "in-the-address-0123456789"


def source(verifier: str, *secrets: str, url: str = "https://example.test/hook") -> SourceSettings:
    url = url if TABLE[verifier].needs_url else ""
    return SourceSettings("x", verifier, secrets or (KEY,), 180, 200, "", notification_url=url)


def good(verifier: str) -> dict[str, str]:
    return {HEADERS[verifier]: TIMED if verifier in TIMELY else PLAIN[verifier][1]}


@pytest.mark.parametrize("verifier", HEADERS)
def test_the_published_formulas_signature_is_good_and_signs_no_id(verifier: str) -> None:
    assert Verifier(source(verifier)).verify(good(verifier), BODY, AT) is None


@pytest.mark.parametrize("verifier", HEADERS)
def test_every_secret_is_good_while_one_is_rotated(verifier: str) -> None:
    for secrets in (("the-new-one", KEY), (KEY, "the-old-one")):
        Verifier(source(verifier, *secrets)).verify(good(verifier), BODY, AT)
    with pytest.raises(NotVerified, match=r"match"):
        Verifier(source(verifier, "the-new-one")).verify(good(verifier), BODY, AT)


@pytest.mark.parametrize("verifier", HEADERS)
def test_a_changed_body_a_missing_and_an_odd_header_are_refused(verifier: str) -> None:
    checked = Verifier(source(verifier))
    with pytest.raises(NotVerified, match="match"):
        checked.verify(good(verifier), BODY + b" ", AT)
    for header in ({}, {HEADERS[verifier]: ""}):
        with pytest.raises(NotVerified, match="is missing"):
            checked.verify(header, BODY, AT)
    for value in ("ä", "\ud800", "t=1700000000,v1=", "v1=abc", "t=1,t=2,v1=x", "=", ",", "sha256=", "0" * 64):
        with pytest.raises(NotVerified):
            checked.verify({HEADERS[verifier]: value}, BODY, AT)


@pytest.mark.parametrize("verifier", TIMELY)
def test_a_timed_signature_is_good_for_the_tolerance_on_both_sides(verifier: str) -> None:
    checked = Verifier(source(verifier))
    for seconds in (-180, 180):
        checked.verify(good(verifier), BODY, AT + timedelta(seconds=seconds))
    for seconds in (-181, 181):
        with pytest.raises(NotVerified, match="tolerance is 180"):
            checked.verify(good(verifier), BODY, AT + timedelta(seconds=seconds))


@pytest.mark.parametrize("verifier", TIMELY)
def test_one_good_signature_among_others_is_enough_and_the_time_is_part_of_it(verifier: str) -> None:
    checked = Verifier(source(verifier))
    several = TIMED.replace(",v1=", ",v1=0000,v0=1, v1=")
    checked.verify({HEADERS[verifier]: several}, BODY, AT)
    with pytest.raises(NotVerified, match="match"):
        checked.verify({HEADERS[verifier]: TIMED.replace("t=1700000000", "t=1700000001")}, BODY, AT)


def test_tripleseats_signature_may_be_of_the_body_alone() -> None:
    plain = hmac.new(KEY.encode(), BODY, hashlib.sha256).hexdigest()
    for seconds in (0, 86400):
        Verifier(source("tripleseat")).verify({"X-Signature": plain}, BODY, AT + timedelta(seconds=seconds))
    with pytest.raises(NotVerified, match="does not match"):
        Verifier(source("tripleseat")).verify({"X-Signature": plain}, BODY + b" ", AT)
    with pytest.raises(NotVerified, match=r"not of the form"):
        Verifier(source("calendly")).verify({"Calendly-Webhook-Signature": plain}, BODY, AT)


@pytest.mark.parametrize("verifier", TIMELY)
def test_a_re_send_hours_later_is_good_where_the_source_says_so(verifier: str) -> None:
    patient = Verifier(replace(source(verifier), resend_window_seconds=6 * 3600))
    patient.verify(good(verifier), BODY, AT + timedelta(hours=6))
    with pytest.raises(NotVerified, match="too old"):
        patient.verify(good(verifier), BODY, AT + timedelta(hours=7))


def test_squares_signature_covers_the_address() -> None:
    with pytest.raises(NotVerified):
        Verifier(source("square", url="https://example.test/other")).verify(good("square"), BODY, AT)
    with pytest.raises(SettingsError, match=r"sources\.x\.notification_url: is required"):
        verifiers({"x": source("square", url="")})


def test_an_address_that_no_signature_covers_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"sources\.x\.notification_url: is not for calcom"):
        verifiers({"x": replace(source("calcom"), notification_url="https://example.test/hook")})


def test_cal_coms_word_for_no_secret_is_no_secret() -> None:
    with pytest.raises(SettingsError, match=r"sources\.x\.secrets: must not be"):
        verifiers({"x": source("calcom", KEY, "no-secret-provided")})
    with pytest.raises(NotVerified, match="set one in Cal"):
        Verifier(source("calcom")).verify({"X-Cal-Signature-256": "no-secret-provided"}, BODY, AT)
    unset = hmac.new(b"no-secret-provided", BODY, hashlib.sha256).hexdigest()
    with pytest.raises(NotVerified, match="does not match"):
        Verifier(source("calcom")).verify({"X-Cal-Signature-256": unset}, BODY, AT)


def test_a_body_that_is_no_text_is_signed_all_the_same() -> None:
    body = b"\xff\x00"
    signature = b64encode(hmac.new(KEY.encode(), body, hashlib.sha256).digest()).decode()
    Verifier(source("acuity")).verify({"X-Acuity-Signature": signature}, body, AT)


@pytest.mark.parametrize("verifier", ["path-secret", "query-secret"])
def test_a_secret_in_the_address_is_good_each_of_them(verifier: str) -> None:
    checked = Verifier(source(verifier, ADDRESS_SECRET, "the-one-before-0123456789"))
    for secret in (ADDRESS_SECRET, "the-one-before-0123456789"):
        address = AddressSecrets(secret, ()) if verifier == "path-secret" else AddressSecrets("", (secret,))
        assert checked.verify({}, BODY, AT, address) is None


@pytest.mark.parametrize("verifier", ["path-secret", "query-secret"])
@pytest.mark.parametrize("wrong", ["", "x", ADDRESS_SECRET + "x", "ä", "\ud800"])
def test_another_secret_and_the_right_one_in_the_wrong_place_are_refused(verifier: str, wrong: str) -> None:
    checked = Verifier(source(verifier, ADDRESS_SECRET))
    swapped = AddressSecrets("", (ADDRESS_SECRET,)) if verifier == "path-secret" else AddressSecrets(ADDRESS_SECRET, ())
    for address in (AddressSecrets(), AddressSecrets(wrong, (wrong,)), AddressSecrets(wrong, ()), swapped):
        with pytest.raises(NotVerified) as caught:
            checked.verify({"authorization": f"Bearer {ADDRESS_SECRET}"}, BODY, AT, address)
        assert ADDRESS_SECRET not in caught.value.reason
    with pytest.raises(NotVerified):
        checked.verify({}, BODY, AT, AddressSecrets("", (ADDRESS_SECRET, ADDRESS_SECRET)))


@pytest.mark.parametrize(
    ("verifier", "secret", "problem"),
    [
        *((verifier, secret, "6 to 512") for verifier in HEADERS for secret in ("short", "a b c d e f", "schlüssel")),
        *((verifier, "x" * 15, "16 to 200") for verifier in ("path-secret", "query-secret")),
        ("path-secret", "with/a/slash/in/it/all/over", "16 to 200"),
        ("query-secret", "with&ampersands&in&it&all", "16 to 200"),
    ],
)
def test_a_secret_of_the_wrong_form_stops_the_start(verifier: str, secret: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        verifiers({"x": source(verifier, secret)})
    assert secret not in str(caught.value)


@pytest.mark.parametrize("verifier", [*HEADERS, "path-secret", "query-secret"])
def test_its_events_are_read_with_a_secret_and_never_with_a_webhooks_signature(verifier: str) -> None:
    secret = ADDRESS_SECRET if verifier not in HEADERS else KEY
    checked = Verifier(source(verifier, secret))
    checked.verify_reader({"authorization": f"Bearer {secret}"}, "id", AT)
    for headers in (good(verifier) if verifier in HEADERS else {}, {"authorization": "Bearer x"}):
        with pytest.raises(NotVerified):
            checked.verify_reader(headers, "id", AT)


@given(
    st.sampled_from(sorted(HEADERS)),
    st.text() | st.from_regex(r"t=[0-9]{0,12},v1=.*"),
    st.binary(),
    st.text(),
    st.lists(st.text(), max_size=2),
)
def test_nothing_whatever_causes_another_error_than_not_verified(
    verifier: str, value: str, content: bytes, path: str, query: list[str]
) -> None:
    for name in (verifier, "path-secret", "query-secret"):
        checked = Verifier(replace(source(name), secrets=(ADDRESS_SECRET,)))
        with pytest.raises(NotVerified) as caught:
            checked.verify({HEADERS[verifier]: value}, content, AT, AddressSecrets(path, query))
        assert ADDRESS_SECRET not in caught.value.reason


def test_only_acuity_posts_forms() -> None:
    assert [name for name, row in TABLE.items() if row.takes_forms] == ["acuity"]
