"""Proofs of every scheme, whatever is put wrong in them: only what holds a right one is let in, and none is a crash."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import strategies as st

from bellhop.ingest.verify import TABLE, AddressSecrets, NotVerified, Verifier
from bellhop.schemas.settings import SourceSettings
from tests.support.fuzzing import TRIED, target

AT: Final = datetime.fromtimestamp(1700000000, UTC)
TOLERANCE: Final = 180
URL: Final = "https://hooks.example.test/webhooks/x"
SECRETS: Final = {
    "standard-webhooks": ("whsec_" + b64encode(b"k" * 24).decode(), "whsec_" + b64encode(b"o" * 24).decode()),
}
OTHERS: Final = ("first-secret-0123456789", "older-secret-0123456789")
BODIES: Final = (b'{"a":1}', b"", b"\xff\x00", b'{"a":1} ', '{"ä":1}'.encode())
HEADER: Final = {
    **{"acuity": "X-Acuity-Signature", "mindbody": "X-Mindbody-Signature", "calcom": "X-Cal-Signature-256"},
    **{
        "square": "x-square-hmacsha256-signature",
        "calendly": "Calendly-Webhook-Signature",
        "tripleseat": "X-Signature",
    },
    **{"standard-webhooks": "webhook-signature", "bearer": "authorization"},
}


def verifier(scheme: str) -> Verifier:
    secrets = SECRETS.get(scheme, OTHERS)
    return Verifier(SourceSettings("x", scheme, secrets, TOLERANCE, 200, "", notification_url=URL))


VERIFIERS: Final = {scheme: verifier(scheme) for scheme in TABLE}


def key_of(scheme: str, secret: str) -> bytes:
    return b64decode(secret.removeprefix("whsec_")) if scheme == "standard-webhooks" else secret.encode()


def digest(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


WRITTEN: Final[dict[str, Callable[[bytes], str]]] = {
    "acuity": lambda made: b64encode(made).decode(),
    "square": lambda made: b64encode(made).decode(),
    "mindbody": lambda made: f"sha256={b64encode(made).decode()}",
    "calcom": lambda made: made.hex(),
    "calendly": lambda made: made.hex(),
    "tripleseat": lambda made: made.hex(),
    "standard-webhooks": lambda made: f"v1,{b64encode(made).decode()}",
}


def right(scheme: str, secret: str, body: bytes, at: str, id_: str, *, timed: bool = True) -> str:
    """A signature as its upstream documents it."""
    if scheme == "bearer":
        return f"Bearer {secret}"
    key = key_of(scheme, secret)
    signed = {
        "square": URL.encode() + body,
        "standard-webhooks": f"{id_}.{at}.".encode() + body,
        **({"calendly": at.encode() + b"." + body, "tripleseat": at.encode() + b"." + body} if timed else {}),
    }.get(scheme, body)
    made = WRITTEN[scheme](digest(key, signed))
    return f"t={at},v1={made}" if timed and scheme in ("calendly", "tripleseat") else made


CHANGES: Final[list[Callable[[str], str]]] = [
    *(
        str.upper,
        str.lower,
        str.swapcase,
        str.strip,
        lambda text: text[:-1],
        lambda text: text[1:],
        lambda text: text[:9],
    ),
    *(lambda text: f" {text}", lambda text: f"{text} ", lambda text: f"{text},{text}", lambda text: f"{text} {text}"),
    *(lambda text: f"{text}, {text}", lambda text: text + "=", lambda text: text.rstrip("="), lambda text: f'"{text}"'),
    *(
        lambda text: text.replace("v1", "v0"),
        lambda text: text.replace("v1", "V1"),
        lambda text: text.replace("t=", "t=0"),
    ),
    *(lambda text: text.replace("+", "-").replace("/", "_"), lambda text: urlsafe_b64encode(text.encode()).decode()),
    *(
        lambda text: text.replace("=", "=="),
        lambda text: text.replace(",", ";"),
        lambda text: text.replace("sha256=", ""),
    ),
    *(
        lambda text: f"v1,wrong {text}",
        lambda text: f"{text} v1,wrong",
        lambda text: f"{text}\x00",
        lambda text: f"ä{text}",
    ),
    *(lambda text: text.replace("a", "\u0430"), lambda _text: "", lambda _text: "v1,", lambda _text: "t=,v1="),
]
TIMES: Final = [
    *(
        "1700000000",
        "1699999821",
        "1699999820",
        "1699999819",
        "1700000180",
        "1700000181",
        "0",
        "-1",
        "1e9",
        "1700000000.0",
    ),
    *(
        " 1700000000",
        "1700000000 ",
        "\u0661700000000",
        "1" * 11,
        "1" * 12,
        "99999999999",
        "",
        "01700000000",
        "+1700000000",
    ),
]


@st.composite
def proofs(draw: st.DrawFn) -> dict[str, Any]:
    scheme = draw(st.sampled_from(sorted(HEADER)))
    body, id_, at = (
        draw(st.sampled_from(BODIES)),
        draw(st.sampled_from(["msg-1", "msg.1", "ä"])),
        draw(st.sampled_from(TIMES)),
    )
    made = []
    for _ in range(draw(st.sampled_from((1, 1, 2)))):
        secret = draw(
            st.sampled_from([*SECRETS.get(scheme, OTHERS), *SECRETS.get(scheme, OTHERS), "another-secret-x1234"[:20]])
        )
        signed = draw(st.sampled_from([body, body, *BODIES]))
        try:
            made.append(right(scheme, secret, signed, at, id_, timed=draw(st.booleans())))
        except ValueError:  # it is no base64
            made.append("v1,x")
    text = draw(st.sampled_from([" ", ",", ", "])).join(made)
    for _ in range(draw(st.integers(0, 2))):
        text = draw(st.sampled_from(CHANGES))(text)
    text = draw(st.one_of(st.just(text), st.just(text), st.just(text), st.text(max_size=80)))
    headers = {HEADER[scheme]: text}
    if scheme == "standard-webhooks":
        named = draw(st.sampled_from(["webhook", "svix"]))
        headers = {f"{named}-id": id_, f"{named}-timestamp": at, f"{named}-signature": text}
    return {"scheme": scheme, "body": body, "headers": headers, "at": at, "id_": id_, "text": text}


def hold_no_secret(text: str) -> None:
    assert [secret for secret in (*SECRETS["standard-webhooks"], *OTHERS) if secret in text] == []


def is_timely(at: str) -> bool:
    return at.isascii() and at.isdigit() and len(at) <= 11 and abs(AT.timestamp() - int(at)) <= TOLERANCE


@target(proof=proofs())
def test_only_a_right_signature_is_let_in(proof: dict[str, Any]) -> None:
    scheme, body, at, text = proof["scheme"], proof["body"], proof["at"], proof["text"]
    try:
        VERIFIERS[scheme].verify(_Headers(proof["headers"]), body, AT)
    except NotVerified as error:
        hold_no_secret(str(error))
        return
    secrets = SECRETS.get(scheme, OTHERS)
    bears_time = TABLE[scheme].bears_time and not (scheme == "tripleseat" and "t=" not in text)
    assert not bears_time or is_timely(at)
    good = [right(scheme, secret, body, at, proof["id_"], timed=timed) for secret in secrets for timed in (True, False)]
    signatures = [one.rpartition("v1=")[2] for one in good]
    assert any(one.lower() in text.lower() if scheme == "bearer" else one in text for one in signatures), text
    TRIED["let in"] += 1


@target(
    path=st.sampled_from(["", *OTHERS, OTHERS[0].upper(), OTHERS[0][:-1], f"{OTHERS[0]}/"]) | st.text(max_size=30),
    query=st.lists(st.sampled_from(["", *OTHERS, OTHERS[0] + " "]) | st.text(max_size=30), max_size=3),
)
def test_only_a_right_secret_in_the_address_is_let_in(path: str, query: list[str]) -> None:
    address = AddressSecrets(path, query)
    for scheme, is_right in (("path-secret", path in OTHERS), ("query-secret", len(query) == 1 and query[0] in OTHERS)):
        try:
            VERIFIERS[scheme].verify(_Headers({}), b"{}", AT, address)
            was_let_in = True
        except NotVerified:
            was_let_in = False
        assert was_let_in is is_right


class _Headers(dict[str, str]):
    """Names in any case."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)
