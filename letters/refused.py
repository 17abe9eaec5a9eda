"""Refused posts taken again by a person: judged, published, noted with who and why."""

from __future__ import annotations

from collections.abc import Sequence

from bellhop.ledger.records import RefusedPost, TakenPost, TakenVerdict, TakeRefused
from bellhop.ledger.refusals import Refusals


def take_refused(
    refusals: Refusals, posts: Sequence[RefusedPost], take: TakeRefused, *, who: str, why: str
) -> Sequence[TakenPost]:
    """Takes what can be taken now; what cannot stays as it is. Dying between the publish and the note leaves it to be
    taken again, which its events' ids make harmless. Raises what `take` raises."""
    made = take(posts, publish=True)
    became = {one.post.number: next(iter(one.event_ids), "") for one in made if one.verdict is not TakenVerdict.REFUSED}
    if became:
        refusals.note_taken(became, who, why)
    return made
