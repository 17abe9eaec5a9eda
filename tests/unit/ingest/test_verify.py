from __future__ import annotations

import gzip
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from bellhop.ingest.verify import NotVerified, Verifier, verifiers
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.settings import SourceSettings
from bellhop.vendors.settings import build
from tests.support.ingress import DOCUMENT, NOW, OLD_SECRET, SECRET, TOKEN, bearing, body, settings, signature, signed

BODY = body()
OTHER = "whsec_" + "QUJD" * 10


def source(verifier: str = "standard-webhooks", *secrets: str, tolerance: float = 300) -> SourceSettings:
    return SourceSettings("crm", verifier, secrets or (SECRET, OLD_SECRET), tolerance, 202, "")


def bearer(*secrets: str) -> Verifier:
    return Verifier(source("bearer", *(secrets or (TOKEN,))))


STANDARD = Verifier(source())


def test_the_librarys_own_signature_is_good_and_names_the_delivery() -> None:
    headers = signed(BODY, "msg-7") | {"webhook-signature": Webhook(SECRET).sign("msg-7", NOW, BODY.decode())}
    assert STANDARD.verify(headers, BODY, NOW) == "msg-7"


def test_the_published_example_of_standard_webhooks_is_good() -> None:
    # github.com/standard-webhooks, the test vector of its libraries
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = NOW.fromtimestamp(1614265330, tz=NOW.tzinfo)
    assert STANDARD.verify(headers, b'{"test": 2432232314}', at) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_while_a_secret_is_rotated_the_old_and_the_new_are_good() -> None:
    for secret in (SECRET, OLD_SECRET):
        assert STANDARD.verify(signed(BODY, secret=secret), BODY, NOW) == "msg-1"
    with pytest.raises(NotVerified):
        STANDARD.verify(signed(BODY, secret=OTHER), BODY, NOW)


def test_one_good_signature_among_others_is_enough() -> None:
    headers = signed(BODY)
    good = headers["webhook-signature"]
    headers["webhook-signature"] = f"v1a,abc {signature(OTHER, 'msg-1', '1', BODY)} {good}"
    assert STANDARD.verify(headers, BODY, NOW) == "msg-1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-id": "msg-2"}, "no signature in webhook-signature matches"),
        ({"webhook-id": ""}, "the header webhook-id is missing"),
        ({"webhook-timestamp": ""}, "the header webhook-timestamp is missing"),
        ({"webhook-signature": ""}, "the header webhook-signature is missing"),
        ({"webhook-timestamp": str(int(NOW.timestamp()) + 1)}, "no signature in webhook-signature matches"),
        ({"webhook-timestamp": "2026-11-20"}, "webhook-timestamp is not a whole number of seconds"),
        ({"webhook-timestamp": "1e9"}, "webhook-timestamp is not a whole number of seconds"),
        ({"webhook-timestamp": "nan"}, "webhook-timestamp is not a whole number of seconds"),
        ({"webhook-timestamp": "9" * 40}, "webhook-timestamp is not a whole number of seconds"),
        ({"webhook-timestamp": "99999999999"}, "webhook-timestamp is too far in the future: the tolerance is 300 s"),
        ({"webhook-timestamp": "٣"}, "webhook-timestamp is not a whole number of seconds"),
        ({"webhook-signature": "v1"}, "webhook-signature holds no signature of version v1"),
        ({"webhook-signature": "v2,abc"}, "webhook-signature holds no signature of version v1"),
        ({"webhook-signature": "v1,not base64 at all"}, "no signature in webhook-signature matches"),
        ({"webhook-signature": "v1,ä\ud800"}, "no signature in webhook-signature matches"),
    ],
)
def test_a_wrong_header_is_refused_with_its_reason(change: dict[str, str], reason: str) -> None:
    with pytest.raises(NotVerified, match=reason):
        STANDARD.verify(signed(BODY) | change, BODY, NOW)


def test_a_body_that_was_changed_is_refused() -> None:
    with pytest.raises(NotVerified, match="no signature"):
        STANDARD.verify(signed(BODY), BODY + b" ", NOW)


def test_a_body_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(NotVerified, match="not UTF-8"):
        STANDARD.verify(signed(b"\xff"), b"\xff", NOW)


@pytest.mark.parametrize(("seconds", "good"), [(-61, False), (-60, True), (0, True), (60, True), (61, False)])
def test_the_sources_own_tolerance_is_held_on_both_sides(seconds: int, good: bool) -> None:
    strict = Verifier(source(tolerance=60))
    headers = signed(BODY, at=NOW.timestamp() + seconds)
    if good:
        assert strict.verify(headers, BODY, NOW) == "msg-1"
    else:
        with pytest.raises(NotVerified, match=r"too (old|far)"):
            strict.verify(headers, BODY, NOW)


def test_a_tolerance_longer_than_the_librarys_is_kept() -> None:
    headers = signed(BODY, at=NOW.timestamp() - 3000)
    assert Verifier(source(tolerance=3600)).verify(headers, BODY, NOW) == "msg-1"


RESENT = Verifier(replace(source(), resend_window_seconds=86400))


@pytest.mark.parametrize(("hours", "good"), [(-25, False), (-24, True), (-3, True), (0, True), (1, False)])
def test_a_re_send_with_its_first_signature_is_good_as_long_as_the_source_says_and_never_before_its_time(
    hours: float, good: bool
) -> None:
    headers = signed(BODY, at=(NOW + timedelta(hours=hours)).timestamp())
    if good:
        assert RESENT.verify(headers, BODY, NOW) == "msg-1"
    else:
        with pytest.raises(NotVerified, match=r"too (old|far)"):
            RESENT.verify(headers, BODY, NOW)


def test_an_old_signature_is_no_leave_to_read() -> None:
    with pytest.raises(NotVerified, match="too old"):
        RESENT.verify_reader(signed(b"", "msg-1", at=(NOW - timedelta(hours=3)).timestamp()), "msg-1", NOW)


@pytest.mark.parametrize("verifier", ["bearer", "mindbody", "path-secret"])
def test_a_window_for_re_sends_is_refused_where_no_signature_is_ever_too_old(verifier: str) -> None:
    with pytest.raises(SettingsError, match="bears no time") as caught:
        verifiers({"crm": replace(source(verifier, TOKEN), resend_window_seconds=60)})
    assert caught.value.key == "sources.crm.resend_window"


def test_the_headers_of_svix_are_the_same_by_another_name() -> None:
    headers = {name.replace("webhook-", "svix-"): value for name, value in signed(BODY, "msg-7").items()}
    assert STANDARD.verify(headers, BODY, NOW) == "msg-7"
    assert STANDARD.verify(headers | signed(BODY, "msg-8"), BODY, NOW) == "msg-8"
    with pytest.raises(NotVerified, match="no signature in svix-signature matches"):
        STANDARD.verify(headers, BODY + b" ", NOW)
    for name in ("svix-timestamp", "svix-signature"):
        with pytest.raises(NotVerified, match=f"the header {name} is missing"):
            STANDARD.verify(headers | {name: ""}, BODY, NOW)


@pytest.mark.parametrize("text", ["a secret as it is, ä", "whsec_used-with-its-prefix", SECRET])
def test_a_raw_secret_is_used_as_the_text_it_is(text: str) -> None:
    raw = Verifier(source("standard-webhooks", f"raw:{text}"))
    as_base64 = "whsec_" + b64encode(text.encode()).decode()
    headers = signed(BODY, secret=as_base64)
    assert raw.verify(headers, BODY, NOW) == "msg-1"
    with pytest.raises(NotVerified):
        raw.verify(signed(BODY, secret=SECRET), BODY, NOW)
    raw.verify_reader({"authorization": f"Bearer {text}"}, "msg-1", NOW)


def test_a_raw_secret_is_masked_without_its_prefix_too() -> None:
    made = build(
        DOCUMENT | {"sources": {"crm": {"verifier": "standard-webhooks", "secrets": ["raw:a-raw-secret-0001"]}}}
    )
    assert {"raw:a-raw-secret-0001", "a-raw-secret-0001"} <= made.secrets


def test_a_packed_body_is_signed_as_it_is_sent() -> None:
    packed = gzip.compress(BODY)
    assert STANDARD.verify(signed(packed), packed, NOW) == "msg-1"
    with pytest.raises(NotVerified, match="no signature"):
        STANDARD.verify(signed(packed), packed + b"x", NOW)


@given(
    values=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "authorization"]),
        st.text() | st.from_regex(r"v1,.*( v1,.*)*") | st.from_regex(r"[Bb]earer .*") | st.just(str(NOW.timestamp())),
    ),
    content=st.binary(),
)
def test_no_headers_whatever_cause_another_error_than_not_verified(values: dict[str, str], content: bytes) -> None:
    for verifier in (STANDARD, bearer()):
        with pytest.raises(NotVerified) as caught:
            verifier.verify(signed(BODY) | {"authorization": "x"} | values, content + b"!", NOW)
        assert SECRET not in caught.value.reason
        assert TOKEN not in caught.value.reason
        with pytest.raises(NotVerified):
            verifier.verify_reader({"webhook-id": "1", "webhook-timestamp": "2"} | values, "msg-1", NOW)


def test_each_of_a_sources_bearer_tokens_is_good_and_signs_no_id() -> None:
    both = bearer(TOKEN, "the-token-before-it")
    for headers in (bearing(), bearing("the-token-before-it"), {"authorization": f"bearer  {TOKEN}"}):
        assert both.verify(headers | {"webhook-id": "unsigned"}, BODY, NOW) is None


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer ä"])
def test_another_authorization_is_refused(value: str) -> None:
    with pytest.raises(NotVerified):
        bearer().verify({"authorization": value}, BODY, NOW)


def test_the_source_reads_its_event_by_a_secret_or_by_a_signature_over_that_id() -> None:
    STANDARD.verify_reader({"authorization": f"Bearer {OLD_SECRET}"}, "msg-1", NOW)
    STANDARD.verify_reader(signed(b"", "msg-1"), "msg-1", NOW)
    bearer().verify_reader(bearing(), "msg-1", NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": f"Bearer {OTHER}"},
        signed(b"", "msg-2"),
        signed(b"", "msg-1", secret=OTHER),
        signed(b"", "msg-1", at=(NOW - timedelta(hours=1)).timestamp()),
        signed(BODY, "msg-1"),  # what a webhook carried is no leave to read
    ],
)
def test_nobody_else_reads_it(headers: dict[str, str]) -> None:
    with pytest.raises(NotVerified):
        STANDARD.verify_reader(headers, "msg-1", NOW)


@pytest.mark.parametrize(
    ("verifier", "secret", "key", "problem"),
    [
        ("md5", SECRET, "sources.crm.verifier", "must be one of standard-webhooks, bearer"),
        ("standard-webhooks", "whsec_", "sources.crm.secrets", "at least 24 bytes"),
        ("standard-webhooks", "whsec_c2hvcnQ=", "sources.crm.secrets", "at least 24 bytes"),
        ("standard-webhooks", SECRET[:-3] + "!!!", "sources.crm.secrets", '"whsec_" and base64'),
        ("standard-webhooks", "whsec_" + "ä" * 40, "sources.crm.secrets", '"whsec_" and base64'),
        ("standard-webhooks", SECRET + "A", "sources.crm.secrets", '"whsec_" and base64'),
        ("standard-webhooks", "raw:short", "sources.crm.secrets", 'at least 16 characters after "raw:"'),
        ("bearer", "too-short", "sources.crm.secrets", "16 to 512"),
        ("bearer", "with a space in between", "sources.crm.secrets", "16 to 512"),
        ("bearer", "with-a-letter-beyond-ä", "sources.crm.secrets", "16 to 512"),
    ],
)
def test_a_secret_of_the_wrong_form_stops_the_start_and_is_not_shown(
    verifier: str, secret: str, key: str, problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        verifiers({"crm": source(verifier, secret)}, lambda key: f"the place of {key}")
    assert caught.value.key == key
    assert caught.value.place == f"the place of {key}"
    assert secret == "whsec_" or secret not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_good_first_secret_does_not_hide_a_bad_second() -> None:
    with pytest.raises(SettingsError):
        verifiers({"crm": source("standard-webhooks", SECRET, "whsec_bad")})


def test_an_unpadded_or_unprefixed_secret_is_the_same_key() -> None:
    plain: Any = OLD_SECRET.rstrip("=").removeprefix("whsec_")
    changed = Verifier(replace(source(), secrets=(plain,)))
    assert changed.verify(signed(BODY, secret=OLD_SECRET), BODY, NOW) == "msg-1"


def test_every_source_of_the_settings_gets_its_verifier() -> None:
    assert set(verifiers(settings().sources)) == {"crm", "static"}
