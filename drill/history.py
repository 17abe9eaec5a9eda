"""What a drill records, one JSON object a line: what was posted and answered, called and told, and how it all stands in
the end. The checker reads nothing else.

Times are Unix seconds of the one who records. A slot names a place in time at a vendor, such as
`spa/7/100/2027-03-01T00:15:00`: what an event asks for and what stands are compared by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Final

from bellhop.schemas.errors import BellhopError


class HistoryError(BellhopError):
    """Raised for a record that cannot be read; says which line."""


@dataclass(frozen=True, slots=True)
class DrillRun:
    """The drill: what it takes to run it again, and where. calm: everything had come to rest when it was recorded."""

    seed: int
    events: int
    broker: str
    ledger: str
    faults: tuple[str, ...]
    calm: bool


@dataclass(frozen=True, slots=True)
class SentPost:
    """One webhook that was sent. time: the event's own, ISO 8601. slots: what is to stand once it is done. status: of
    the answer, 0 where none came."""

    id: str
    type: str
    reference: str
    time: str
    slots: tuple[str, ...]
    status: int
    at: float


@dataclass(frozen=True, slots=True)
class FaultDone:
    """A fault, from its beginning to the end of it. failed: why it could not be done, or not to its end; "" where it
    was. times: how often it struck: of calls that are answered wrongly, those that met it; of a connection that is cut
    again and again, each cut."""

    name: str
    at: float
    until: float
    failed: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class PersonAct:
    """What a person did with a dead letter: replay, there, absent, discard; or with a flood, by its number: release.
    worked: whether it was taken."""

    act: str
    letter: int
    worked: bool
    at: float


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A call that a vendor received, and that changed something or met a fault. effect: what it changed (`booked`,
    `cancelled`, `synced`), "" for nothing; id: of what. reference: the booking's, "" where it tells of none. fault:
    that hit it, "" for none."""

    vendor: str
    method: str
    effect: str
    id: str
    reference: str
    fault: str


@dataclass(frozen=True, slots=True)
class StandingBooking:
    """A booking that a vendor holds in the end. reference: whose it is, by what was sent with it."""

    vendor: str
    id: str
    reference: str
    slot: str


@dataclass(frozen=True, slots=True)
class EventEnd:
    """An event as the ledger has it in the end; state: of its newest generation."""

    id: str
    type: str
    reference: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class ToldBooking:
    """What the ledger, and with it the status address, tells of a booking in the end, by the vendors' ids."""

    reference: str
    standing: tuple[str, ...]
    cancelled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LetterEnd:
    """A dead letter in the end. state: `open`, `replaying`, `replayed` or `discarded`."""

    number: int
    id: str
    reference: str
    reason: str
    state: str


@dataclass(frozen=True, slots=True)
class CallbackEnd:
    """A vendor's callback, and how it stands in the end. booking: the vendor's id of what it tells of. taken: whether
    it was answered 2xx. state: of its event, "" where none is known. letter, reason: of its dead letter, "" where there
    is none."""

    id: str
    booking: str
    taken: bool
    state: str
    letter: str
    reason: str


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in a queue in the end; id: of its event."""

    queue: str
    id: str


@dataclass(frozen=True, slots=True)
class ToldResult:
    """A result that the upstream was told, in the order of their coming."""

    id: str
    type: str
    reference: str
    time: str
    standing: tuple[str, ...]
    cancelled: tuple[str, ...]


Record = (
    DrillRun
    | SentPost
    | FaultDone
    | PersonAct
    | SeenCall
    | StandingBooking
    | EventEnd
    | ToldBooking
    | LetterEnd
    | CallbackEnd
    | QueuedMessage
    | ToldResult
)

KINDS: Final[Mapping[str, type[Any]]] = {
    "run": DrillRun,
    "post": SentPost,
    "fault": FaultDone,
    "act": PersonAct,
    "call": SeenCall,
    "standing": StandingBooking,
    "event": EventEnd,
    "booking": ToldBooking,
    "letter": LetterEnd,
    "callback": CallbackEnd,
    "message": QueuedMessage,
    "told": ToldResult,
}
_NAMES: Final = {made: name for name, made in KINDS.items()}
_TYPES: Final[Mapping[str, type[Any] | tuple[type[Any], ...]]] = {
    "int": int,
    "str": str,
    "bool": bool,
    "float": (int, float),
    "tuple[str, ...]": list,
}


def line_of(record: Record) -> str:
    return json.dumps({"kind": _NAMES[type(record)], **asdict(record)}, ensure_ascii=False)


def read_history(lines: Iterable[str]) -> Iterator[Record]:
    """Raises HistoryError."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _record(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise HistoryError(f"line {number} is no record of a drill: {error}") from None


def _record(told: Any) -> Record:
    if not isinstance(told, dict) or told.get("kind") not in KINDS:
        raise ValueError(f"its kind must be one of {', '.join(KINDS)}")
    made, values = KINDS[told.pop("kind")], told
    wanted = {item.name: str(item.type) for item in fields(made)}
    values = {item.name: item.default for item in fields(made) if item.default is not MISSING} | values
    if values.keys() != wanted.keys():
        raise ValueError(f"its fields must be {', '.join(wanted)}")
    for name, kind in wanted.items():
        value = values[name]
        right = isinstance(value, _TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))
        if not right or (isinstance(value, list) and not all(isinstance(one, str) for one in value)):
            raise ValueError(f"its {name} must be {kind}")
        values[name] = tuple(value) if isinstance(value, list) else value
    record: Record = made(**values)
    return record
