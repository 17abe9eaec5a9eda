"""Messages as anybody may publish them: whatever stands in them is read, or becomes a letter that can be recorded."""

from __future__ import annotations

import json
import struct
from typing import Any, Final

from hypothesis import strategies as st

from bellhop.broker.headers import clean_headers
from bellhop.broker.port import Delivery, Message
from bellhop.broker.rabbitmq.properties import SHOWN_BYTES, parse_properties
from bellhop.ledger.causes import cause_of, words_of
from bellhop.letters.archive import letter_from_message
from bellhop.schemas.clock import SYSTEM_CLOCK
from bellhop.schemas.envelope import MAX_TEXT_BYTES, decode, decode_recordable, encode
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead
from bellhop.workers.delivery import EndedDelivery
from bellhop.workers.executor import Executor
from bellhop.workers.messages import onward_message
from tests.support.fuzzing import TRIED, put_wrong, target
from tests.support.ingress import NOW
from tests.unit.schemas.test_envelope import ENVELOPE

WIRE: Final = json.loads(encode(ENVELOPE)) | {"warnings": ["x"], "coarse": True}


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    content = json.dumps(draw(put_wrong(WIRE)), ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(st.binary(max_size=4)) + content[at + draw(st.integers(0, 3)) :]
    return content


# --- the table of headers, as AMQP writes it -------------------------------------------------------------------------

_FIXED: Final = {"t": 1, "b": 1, "B": 1, "s": 2, "U": 2, "u": 2, "I": 4, "i": 4, "l": 8, "L": 8, "f": 4, "d": 8, "T": 8}


def _sized(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _field(name: bytes, item: bytes) -> bytes:
    return bytes([len(name)]) + name + item


_SIMPLE: Final = st.one_of(
    *(st.binary(min_size=size, max_size=size).map(kind.encode().__add__) for kind, size in _FIXED.items()),
    st.binary(min_size=5, max_size=5).map(b"D".__add__),
    st.just(b"V"),
    st.binary(max_size=30).map(lambda content: b"S" + _sized(content)),
    st.binary(max_size=30).map(lambda content: b"x" + _sized(content)),
    st.sampled_from([b"?", b"Z\x00", b"S\xff\xff\xff\xff", b"F\x00\x00\x00\x09a", b""]),
)
_ITEMS: Final = st.recursive(
    _SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: b"A" + _sized(b"".join(items))),
        st.lists(st.tuples(st.binary(max_size=5), inner), max_size=3).map(
            lambda pairs: b"F" + _sized(b"".join(_field(*pair) for pair in pairs))
        ),
    ),
    max_leaves=6,
)
_OWN: Final = [b"bellhop", b"x-delivery-count", b"x-death", b"bellhop-attempt", b"compression", b"", b"\xff"]
_TABLES: Final = st.lists(st.tuples(st.sampled_from(_OWN) | st.binary(max_size=9), _ITEMS), max_size=5).map(
    lambda pairs: b"".join(_field(*pair) for pair in pairs)
)


@st.composite
def properties(draw: st.DrawFn) -> bytes:
    """The bytes of a content header from its flags on: some properties, each of any bytes."""
    flags, made = 0, b""
    for place, kind in enumerate("ssFoossssTssss"):
        if draw(st.booleans()):
            continue
        flags |= 0x8000 >> place
        if kind == "F":
            made += _sized(draw(_TABLES))
        elif kind == "s":
            text = draw(st.binary(max_size=20))
            made += bytes([len(text)]) + text
        else:
            size = 8 if kind == "T" else 1
            made += draw(st.binary(min_size=size, max_size=size))
    cut = draw(st.sampled_from([None, None, None, len(made) // 2]))
    return struct.pack(">H", flags) + made[:cut]


@target(raw=properties() | st.binary(max_size=60))
def test_any_properties_are_read_and_shown(raw: bytes) -> None:
    found = parse_properties(raw)
    shown = json.dumps(found.describe(), ensure_ascii=False)
    shown.encode()
    assert "\x00" not in shown
    assert len(shown) <= 3 * SHOWN_BYTES
    assert abs(found.whole("x-delivery-count")) < 2**64
    (found.text("bellhop") or "").encode()


def hold_short(text: str) -> None:
    assert len(text) < 100, "it names fields, and no values"
    TRIED["no envelope"] += 1


@target(body=bodies() | st.binary(max_size=60))
def test_any_body_is_an_envelope_that_can_be_recorded_or_none(body: bytes) -> None:
    try:
        envelope = decode_recordable(body)
    except EnvelopeError as error:
        hold_short(str(error))
        return
    assert decode(encode(envelope)) == envelope
    for text in (envelope.id, envelope.source, envelope.type, envelope.subject, envelope.route, envelope.account):
        assert len(text.encode()) <= MAX_TEXT_BYTES
        assert "\x00" not in text


_HEADERS: Final = st.dictionaries(
    st.sampled_from(
        [
            *(
                "bellhop-attempt",
                "bellhop-route",
                "bellhop-reason",
                "bellhop-error",
                "bellhop-evidence",
                "bellhop-died",
            ),
            *("bellhop-enqueued", "bellhop-deaths", "bellhop-lane", "bellhop-swept", "traceparent", "baggage"),
        ]
    )
    | st.text(max_size=5),
    st.one_of(
        *(st.text(max_size=9), st.integers(), st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.none()),
        st.sampled_from(["poison", "rejected", "{}", "[1]", '{"attempts": 7}', "[" * 3000, "\ud800", "x" * 3000]),
        st.lists(st.integers(), max_size=2),
    ),
    max_size=6,
)


class _Nothing:
    """No handler, no ledger: what is poison meets neither."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} of a message that is poison")


EXECUTOR: Final = Executor(_Nothing(), _Nothing(), worker="w", claim_seconds=60, ladder=(5.0,), clock=SYSTEM_CLOCK)  # type: ignore[arg-type]


@target(id_=st.text(max_size=40), body=bodies() | st.binary(max_size=40), given=_HEADERS, raw=properties())
def test_any_message_is_taken_or_becomes_a_letter_that_can_be_recorded(
    id_: str, body: bytes, given: dict[str, Any], raw: bytes
) -> None:
    strange = parse_properties(raw).describe()
    message = Message(id_.encode("utf-8", "replace").decode(), body, clean_headers(given))
    received = EXECUTOR.receive(Delivery(message, 1, 0, strange))
    if isinstance(received, EndedDelivery):
        assert isinstance(received.outcome, Dead)
        assert received.outcome.reason is Reason.POISON
        onward = onward_message(received, "members", NOW)
        assert onward is not None
        message = onward[0]
        assert len(json.dumps(dict(message.headers))) < 60_000
    letter = letter_from_message(message, NOW, strange)
    assert letter.reason in list(Reason)
    assert 0 <= letter.attempts < 2**31
    assert 1 <= letter.died.year <= 9999
    for text in (letter.message_id, letter.route, letter.error, letter.source, letter.event_id, letter.type):
        text.encode("utf-8", "replace")
    json.dumps(letter.evidence)
    words_of(letter)
    cause_of(letter)
    TRIED[f"letter: {letter.reason}"] += 1
