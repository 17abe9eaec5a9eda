"""Decides from a drill's record alone whether the promise was kept. No I/O, no clock.

Every accepted event ended once and whole, or stands in front of a person, or is known to be on its way.

Two questions. Of each event that was answered 2xx: where is it? Of each booking: is what stands at the vendors what its
newest event wants, and what was told? Of a booking that a person has in front of him, or that is still on its way, the
second is asked in one respect only: that nothing stands twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bellhop.drill.doubts import DoubtCount, count_doubts
from bellhop.drill.history import Record, SentPost, ToldBooking
from bellhop.drill.told import Told


class Breach(StrEnum):
    """In what way the promise was broken."""

    DOUBLED = "doubled"
    """More stands at the vendor than was asked for, and no person was told."""
    MISSING = "missing"
    """It was accepted, and nothing knows of it: no queue, no ledger, no dead letter."""
    FORGOTTEN = "forgotten"
    """The ledger knows it, but nothing brings it on and no person sees it."""
    HALF = "half"
    """A part of it stands, the rest does not, and no person was told."""
    WRONG = "wrong"
    """What was told is not what stands."""
    UNEXPLAINED = "unexplained"
    """Something stands, or is known, that nobody asked for or was told of."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """subject: an event's id or a booking's reference."""

    breach: Breach
    subject: str
    words: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """counts: where the accepted events are, by name; their sum is `accepted`. doubts: by vendor."""

    violations: Sequence[Violation]
    accepted: int
    counts: Mapping[str, int]
    doubts: Mapping[str, DoubtCount]

    @property
    def kept(self) -> bool:
        return not self.violations


_ENDED: Final = ("done", "recorded", "superseded", "duplicate", "discarded")
_HELD: Final = "held"
"""By the flood guard, until a person releases or discards it; its message goes round meanwhile."""
_UNFINISHED: Final = ("working", "retrying", "in_doubt", _HELD)
_APPLIED: Final = ("done", "recorded")
_SEEN: Final = ("open", "replaying")
PERSON: Final = "in front of a person"
ON_ITS_WAY: Final = "on its way"
_SETTLES: Final = ("in_doubt", "doubled")
"""Letters that have a person look at what stands."""


def check(records: Iterable[Record]) -> Judgement:
    told = Told.of(records)
    accepted = told.accepted
    places = {id_: _place_of(told, id_) for id_ in accepted}
    violations = [place for place in places.values() if isinstance(place, Violation)]
    violations += [*_strange_events(told), *_lost_callbacks(told)]
    by_reference: dict[str, list[SentPost]] = defaultdict(list)
    for posts in told.posts.values():
        by_reference[posts[0].reference].append(posts[0])
    for reference in sorted({*by_reference, *told.standing}):
        posts = sorted(by_reference.get(reference, ()), key=_place)
        violations += _check_reference(told, reference, posts, places)
    counts = Counter(place.breach.value if isinstance(place, Violation) else place for place in places.values())
    waiting = {reference for reference in {*by_reference, *told.standing} if _is_told(told, reference)}
    known = {id_ for booking in told.bookings.values() for id_ in (*booking.standing, *booking.cancelled)}
    doubts = count_doubts(told.calls, waiting, told.answered, known)
    return Judgement(sorted(violations), len(accepted), counts, doubts)


def _place(post: SentPost) -> tuple[datetime, int]:
    """Where an event stands among those of its booking."""
    kinds = ("booking.requested", "booking.changed", "booking.cancelled")
    return datetime.fromisoformat(post.time), kinds.index(post.type) if post.type in kinds else 0


def _place_of(told: Told, id_: str) -> str | Violation:
    """Where an accepted event is, or how it was lost."""
    event, letters = told.events.get(id_), told.letters.get(id_, ())
    is_moving = id_ in told.messages or any(letter.state == "replaying" for letter in letters)
    if event is not None and event.state in _ENDED:
        return event.state
    if any(letter.state == "open" for letter in letters) or (is_moving and event is not None and event.state == _HELD):
        return PERSON
    if is_moving:
        return ON_ITS_WAY
    if event is None:
        return Violation(Breach.MISSING, id_, "accepted, and in no queue, no ledger, no dead letter")
    if event.state == "dead":
        return Violation(Breach.FORGOTTEN, id_, f"dead of {event.reason}, and no open letter tells a person")
    return Violation(Breach.FORGOTTEN, id_, f"{event.state}, and no message brings it on")


def _strange_events(told: Told) -> Iterable[Violation]:
    for id_ in sorted({*told.events, *told.letters} - told.posts.keys()):
        yield Violation(Breach.UNEXPLAINED, id_, "known here, and never posted")


def _lost_callbacks(told: Told) -> Iterable[Violation]:
    """What a vendor told of its bookings and was answered 2xx is an event, too."""
    for one in told.callbacks:
        if not one.taken or one.letter in _SEEN or one.state in _ENDED or one.id in told.messages:
            continue
        words = f"{one.state}, and no message brings it on" if one.state else "accepted, and nothing knows of it"
        yield Violation(Breach.FORGOTTEN if one.state else Breach.MISSING, one.id, f"a callback: {words}")


def _is_told(told: Told, reference: str) -> bool:
    """Whether a person looks at what stands of it: because of an event of its own, or of a vendor's callback."""
    own = (one for letters in told.letters.values() for one in letters if one.reference == reference)
    ids = {one.id for one in told.standing.get(reference, ())}
    calls_back = (one for one in told.callbacks if one.booking in ids)
    return any(one.state in _SEEN and one.reason in _SETTLES for one in own) or any(
        one.letter in _SEEN and one.reason in _SETTLES for one in calls_back
    )


def _check_reference(
    told: Told, reference: str, posts: Sequence[SentPost], places: Mapping[str, str | Violation]
) -> Iterable[Violation]:
    """posts: of all its events, the oldest first, whatever they were answered."""
    if posts and not posts[0].type.startswith("booking."):
        return _check_member(told, reference, posts)
    standing = Counter(one.slot for one in told.standing.get(reference, ()))
    asked = {slot for post in posts for slot in post.slots}
    if strange := sorted(standing.keys() - asked):
        return [Violation(Breach.UNEXPLAINED, reference, f"{', '.join(strange)} stands, and nobody asked for it")]
    letters = [one for post in posts for one in told.letters.get(post.id, ()) if one.state in _SEEN]
    is_told = _is_told(told, reference)
    twice = sorted(slot for slot, count in standing.items() if count > max(p.slots.count(slot) for p in posts))
    if twice and not is_told:
        return [Violation(Breach.DOUBLED, reference, f"{', '.join(twice)} stands {standing[twice[0]]} times")]
    applied = [post for post in posts if _state(told, post) in _APPLIED]
    is_open = bool(letters) or any(_is_open(told, post, places) for post in posts)
    if is_open or is_told or not applied:
        return _untruths(told, reference) if is_open or is_told or not standing else _untold(told, reference)
    return _check_ended(told, reference, _newest(applied), standing)


def _newest(applied: Sequence[SentPost]) -> SentPost:
    """The event that counts. No cancel is undone by a request that was posted before it, whatever their stamps say:
    an upstream's clocks differ."""
    last = applied[-1]
    if last.type == "booking.requested":
        return next((post for post in applied if post.type == "booking.cancelled" and post.at > last.at), last)
    return last


def _check_ended(told: Told, reference: str, newest: SentPost, standing: Counter[str]) -> Iterable[Violation]:
    """All of it has ended: what stands is what the newest wants."""
    wanted = Counter(newest.slots)
    lacking, beyond = sorted((wanted - standing).elements()), sorted((standing - wanted).elements())
    if beyond and not wanted:
        return [Violation(Breach.WRONG, reference, f"cancelled by {newest.id}, and {', '.join(beyond)} stands")]
    if lacking and standing:
        return [Violation(Breach.HALF, reference, f"{newest.id} is done, and {', '.join(lacking)} does not stand")]
    if lacking:
        return [Violation(Breach.WRONG, reference, f"{newest.id} is done, and nothing stands")]
    if beyond:
        return [Violation(Breach.DOUBLED, reference, f"{', '.join(beyond)} stands beside what {newest.id} wants")]
    return [*_untruths(told, reference), *_untold(told, reference), *_false_results(told, reference, newest)][:1]


def _untruths(told: Told, reference: str) -> list[Violation]:
    """What the ledger tells of it and is not so."""
    ids = {one.id for one in told.standing.get(reference, ())}
    booking = told.bookings.get(reference, ToldBooking(reference, (), ()))
    # A change or cancel that is at work or in doubt may have cancelled what it found: nothing is told for certain.
    doubted = any(
        _changes(told, id_)
        for id_, event in told.events.items()
        if event.reference == reference
        and (event.state in _UNFINISHED or (event.state == "dead" and event.reason in _SETTLES))
    )
    found = [f"{id_} is told to stand, and does not" for id_ in booking.standing if id_ not in ids and not doubted]
    found += [f"{id_} is told to be cancelled, and stands" for id_ in booking.cancelled if id_ in ids]
    return [Violation(Breach.WRONG, reference, words) for words in found[:1]]


def _changes(told: Told, id_: str) -> bool:
    posts = told.posts.get(id_, ())
    return any(post.type in ("booking.changed", "booking.cancelled") for post in posts)


def _untold(told: Told, reference: str) -> list[Violation]:
    """What stands and the ledger does not know."""
    booking = told.bookings.get(reference, ToldBooking(reference, (), ()))
    ids = sorted({one.id for one in told.standing.get(reference, ())} - {*booking.standing, *booking.cancelled})
    return [Violation(Breach.UNEXPLAINED, reference, f"{id_} stands, and nobody is told") for id_ in ids[:1]]


def _false_results(told: Told, reference: str, newest: SentPost) -> list[Violation]:
    """What the upstream was told last of its newest event."""
    results = [
        one for one in told.results.get(reference, ()) if one.id == newest.id and not one.type.endswith("failed")
    ]
    if not results:
        return []
    last = max(results, key=lambda one: datetime.fromisoformat(one.time))
    ids = {one.id for one in told.standing.get(reference, ())}
    wrong = sorted({*last.standing} ^ ids)
    return [Violation(Breach.WRONG, reference, f"the result of {newest.id} is wrong of {wrong[0]}")] if wrong else []


def _check_member(told: Told, member: str, posts: Sequence[SentPost]) -> list[Violation]:
    if not any(_state(told, post) == "done" for post in posts):
        return []
    if any(call.effect == "synced" and call.id == member for call in told.calls):
        return []
    return [Violation(Breach.WRONG, member, f"{posts[-1].id} is done, and nothing was synchronised")]


def _state(told: Told, post: SentPost) -> str:
    event = told.events.get(post.id)
    return event.state if event else ""


def _is_open(told: Told, post: SentPost, places: Mapping[str, str | Violation]) -> bool:
    """Whether it goes on: told as such, or it was lost, or it was never accepted and is known all the same."""
    place = places.get(post.id, "")
    is_unaccepted = post.id not in places and (_state(told, post) in _UNFINISHED or post.id in told.messages)
    return isinstance(place, Violation) or place in (PERSON, ON_ITS_WAY) or is_unaccepted
