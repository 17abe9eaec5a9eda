"""A refused post, taken once what refused it is mended: under the id, and with the time, of its first receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from bellhop.broker.messages import work_message
from bellhop.broker.port import Publisher
from bellhop.broker.topology import work
from bellhop.ingest.body import Body
from bellhop.ingest.formats.parts import Ignored, Receipt, RefusedItem, Tested
from bellhop.ingest.intake import Intake, Read
from bellhop.ledger.records import EventView, RefusedPost, TakenPost, TakenVerdict
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.problems import Problem
from bellhop.schemas.settings import Settings

_CONFIRM_SECONDS: Final = 10.0
_NOT_KEPT: Final = "its body was not kept: it is older than this version of Bellhop; ask the upstream to send it again"


class RefusedTaker:
    """settings: read anew for each, so that what was mended a moment ago counts. event: of the ledger."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        publisher: Callable[[], Publisher],
        event: Callable[[str, str], EventView | None],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._settings = settings
        self._publisher = publisher
        self._event = event
        self._clock = clock

    def take(self, posts: Sequence[RefusedPost], *, publish: bool) -> list[TakenPost]:
        """Of each what became of it; without `publish`, what would. Raises SettingsError, LedgerUnavailable, and
        BrokerError, after which some may have been taken: taken again, they are known by their ids."""
        settings = self._settings()
        intakes: dict[str, Intake] = {}
        made: list[tuple[TakenPost, Sequence[Envelope]]] = []
        for post in posts:
            source = settings.sources.get(post.source)
            if source is None:
                made.append((TakenPost(post, TakenVerdict.REFUSED, (), "the settings have no such source"), ()))
                continue
            intake = intakes.setdefault(post.source, Intake(settings, source))
            made.append(self._judge(post, intake))
        if publish:
            self._publish([envelope for _, envelopes in made for envelope in envelopes])
        return [taken for taken, _ in made]

    def _judge(self, post: RefusedPost, intake: Intake) -> tuple[TakenPost, Sequence[Envelope]]:
        if post.content is None:
            return TakenPost(post, TakenVerdict.REFUSED, (), _NOT_KEPT), ()
        try:
            found = intake.read(Body(b"", post.content, post.is_form).decode(), receipt_of(post))
        except EventInvalid as error:
            problems = tuple((problem.field, problem.rule) for problem in error.problems)
            return TakenPost(post, TakenVerdict.REFUSED, (), "it still breaks its contract", problems), ()
        except Problem as problem:
            return TakenPost(post, TakenVerdict.REFUSED, (), problem.detail), ()
        if refused := [one for one in found if isinstance(one, RefusedItem)]:
            problems = tuple((problem.field, problem.rule) for one in refused for problem in one.problems)
            words = f"{len(refused)} of its {len(found)} events still break their contract"
            return TakenPost(post, TakenVerdict.REFUSED, (), words, problems), ()
        envelopes = [one for one in found if isinstance(one, Envelope)]
        new = [one for one in envelopes if self._event(one.source, one.id) is None]
        return _verdict(post, found, envelopes, new), new

    def _publish(self, envelopes: Sequence[Envelope]) -> None:
        publisher, now = self._publisher(), self._clock.now()
        futures: list[Future[None]] = [publisher.publish(work_message(one, now), work(one.route)) for one in envelopes]
        for future in futures:
            future.result(_CONFIRM_SECONDS)


def receipt_of(post: RefusedPost) -> Receipt:
    """That of its first coming."""
    return Receipt(post.first, post.salt, hashlib.sha256(post.content or b"").hexdigest(), post.signed_id)


def _verdict(
    post: RefusedPost, found: Sequence[Read], envelopes: Sequence[Envelope], new: Sequence[Envelope]
) -> TakenPost:
    ids = tuple(one.id for one in envelopes)
    if new:
        return TakenPost(post, TakenVerdict.TAKEN, ids)
    if envelopes:
        return TakenPost(
            post, TakenVerdict.KNOWN, ids, "an event of this id was taken meanwhile: nothing is done twice"
        )
    why = [
        one.why if isinstance(one, Ignored) else "it is a test" for one in found if isinstance(one, Ignored | Tested)
    ]
    return TakenPost(post, TakenVerdict.NOTHING, (), why[0] if why else "")
