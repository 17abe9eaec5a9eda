"""What people do to dead letters and routes while everything is at work, and upstreams that send things again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bellhop.drill.history import PersonAct
from bellhop.drill.site import SOURCE, Site
from bellhop.drill.standings import find_standings
from bellhop.drill.upstream import Sender
from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import RESTORED, Letter, LetterFilter
from bellhop.ledger.store import Ledger
from bellhop.letters.doubts import Words
from bellhop.letters.replay import replay
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.reasons import Reason
from bellhop.schemas.settings import Settings
from bellhop.vendors.registry import ROUTES, vendor_of
from bellhop.vendors.vendor import Said

BOOKING_ROUTES: Final = tuple(route for route in ROUTES if route.startswith("bookings."))
_MOST: Final = 1000
LAIN_SECONDS: Final = 60.0
"""Longer than callbacks take in a drill, where a doubt becomes a letter after seconds; elsewhere that takes minutes."""
_ROUNDS: Final = 3
_HASTENED: Final = 4
_LOOKED_AT: Final = (Reason.IN_DOUBT.value,)
_BY_HAND: Final = (Reason.DOUBLED.value, Reason.UNSUPPORTED.value, Reason.CONFLICT.value)
"""Letters that no replay helps: what they ask for is done at the vendor, and a drill does not do it."""


def replay_letters(site: Site, _upstream: Sender) -> int:
    """Every open letter is replayed by two people at once, and again a moment later: also what is in doubt. How many
    letters."""
    before = len(site.acts)
    for _ in range(2):
        people = [threading.Thread(target=_replay_all, args=(site,)) for _ in range(2)]
        for person in people:
            person.start()
        for person in people:
            person.join()
        site.hold(0.5, 1.5)
    return len({act.letter for act in site.acts[before:]})


def answer_letters(site: Site, upstream: Sender) -> int:
    """An honest person looks at the vendor and says of each letter in doubt what is there; the others he replays. What
    a vendor may still tell of by itself he leaves alone until it has lain there for a while, as nobody sits waiting for
    letters. Of how many letters he said something."""
    before = len(site.acts)
    for _ in range(_ROUNDS):
        with site.ledger() as ledger, site.broker() as broker:
            publisher = broker.publisher()
            words = Words(ledger, site.settings, lambda made=publisher: made)  # type: ignore[misc]
            for letter in _open(ledger):
                site.acts.append(_answer(site, upstream, ledger, words, publisher, letter))
            publisher.close()
        site.hold(1.0)
    return len({act.letter for act in site.acts[before:] if act.act != "look"})


def discard_and_restore(site: Site, _upstream: Sender) -> int:
    """Somebody closes every open letter, and thinks better of it. How many letters."""
    with site.ledger() as ledger:
        numbers = [letter.id for letter in _open(ledger)]
        ledger.letters.discard(numbers, "drill", "by mistake")
        site.hold(1.0)
        ledger.letters.restore(numbers, "drill", "it was by mistake")
    site.acts += [PersonAct("discard", number, True, time.time()) for number in numbers]
    return len(numbers)


def release_floods(site: Site, ledger: Ledger) -> None:
    """What the flood guard holds is meant, and somebody says so."""
    for flood in ledger.floods.open():
        released = ledger.floods.release(flood.id, "drill", "it is meant")
        site.acts.append(PersonAct("release", flood.id, released is not None, time.time()))


def pause_routes(site: Site, _upstream: Sender) -> None:
    with a_pause(site):
        site.hold(2.0)


@contextmanager
def a_pause(site: Site) -> Iterator[None]:
    """No booking is worked as long as it lasts."""
    for route in BOOKING_ROUTES:
        site.bellhop("routes", "pause", route, "--why", "drill")
    try:
        yield
    finally:
        for route in BOOKING_ROUTES:
            site.bellhop("routes", "resume", route, "--why", "drill")


def hasten_retries(site: Site, _upstream: Sender) -> int:
    with site.broker() as broker:
        for _ in range(_HASTENED):
            for route in ROUTES:
                broker.hasten(route)
            site.hold(0.3, 0.8)
    return _HASTENED


def send_again(site: Site, upstream: Sender) -> None:
    """The upstream lost its memory of what was accepted."""
    site.hold(0.5)
    upstream.send_again(40)


def _open(ledger: Ledger) -> list[Letter]:
    return ledger.letters.find(LetterFilter(source=SOURCE), _MOST)


def _replay_all(site: Site) -> None:
    with site.ledger() as ledger, site.broker() as broker:
        publisher = broker.publisher()
        numbers = [letter.id for letter in _open(ledger)]
        replay(ledger.letters, publisher, numbers, who="drill", why="drill")
        publisher.close()
    site.acts += [PersonAct("replay", number, True, time.time()) for number in numbers]


def may_be_told(settings: Settings, ledger: Ledger, letter: Letter, now: float) -> bool:
    """Whether it is in doubt, and so young that the vendor may yet tell what became of its call. No vendor tells of one
    that is not known, after a restore. now: Unix seconds."""
    if letter.new.reason not in _LOOKED_AT or now - letter.new.died.timestamp() > LAIN_SECONDS:
        return False
    try:
        call = ledger.proofs.of_letter(letter).call
    except WordRefused:
        return True  # it waits for another of its booking, or goes on already
    return call.method != RESTORED and vendor_of(settings.accounts[call.account]).callbacks is not None


def _answer(site: Site, upstream: Sender, ledger: Ledger, words: Words, publisher: Any, letter: Letter) -> PersonAct:
    number, reference = letter.id, letter.new.subject
    if letter.new.reason in _BY_HAND or may_be_told(site.settings, ledger, letter, time.time()):
        return PersonAct("look", number, False, time.time())
    if letter.new.reason not in _LOOKED_AT:
        done = replay(ledger.letters, publisher, [number], who="drill", why="the vendor is well again")
        return PersonAct("replay", number, done.replayed > 0, time.time())
    held = ledger.booking(SOURCE, reference)
    known = {entry.vendor_id for entry in held.entries} if held else set()
    wanted = upstream.slots_of(letter.new.event_id)
    found = [one for one in find_standings(site.sandbox("GET", "state")) if one.reference == reference]
    ids = [id_ for id_ in dict.fromkeys(one.id for one in found if one.slot in wanted) if id_ not in known]
    try:
        if ids:
            said = [Said(id_, "") for id_ in ids]
            words.there(number, said, who="drill", why="seen in the calendar", rest_absent=True)
        else:
            words.absent(number, who="drill", why="not in the calendar")
    except (WordRefused, BellhopError):
        return PersonAct("there" if ids else "absent", number, False, time.time())
    return PersonAct("there" if ids else "absent", number, True, time.time())
