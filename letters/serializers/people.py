"""What people do: bulk jobs and the audit; and who they are: users and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Protocol

from bellhop.ledger.records import (
    ApiToken,
    AuditRow,
    BulkJob,
    ChainReport,
    GuestFound,
    ItemState,
    JobItem,
    Letter,
    LetterFilter,
    LetterState,
    User,
)
from bellhop.letters.masking import guest_initials, readable_data
from bellhop.letters.serializers import JsonObject, zone_name
from bellhop.schemas.clock import iso
from bellhop.schemas.events import VenueFacts


def job_row(job: BulkJob, waits: str = "") -> JsonObject:
    """waits: why it does not go on, see `letters.parts.jobs_wait`."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state.value,
        "who": job.who,
        "why": job.why,
        "created": iso(job.created),
        "updated": iso(job.updated),
        "rate": job.rate,
        "wave": job.wave,
        "total": job.total,
        "counts": {state.value: job.counts.get(state, 0) for state in ItemState},
        "detail": job.detail,
        "waits": waits,
    }


class LettersArchive(Protocol):
    def find(self, which: LetterFilter, limit: int) -> list[Letter]:
        """Raises LedgerUnavailable."""
        ...


def job_item_rows(
    items: Sequence[JobItem], archive: LettersArchive, venues: Mapping[str, VenueFacts]
) -> list[JsonObject]:
    """With whom and what their letters are about."""
    which = LetterFilter(ids=[item.letter for item in items], states=tuple(LetterState))
    letters = {letter.id: letter for letter in archive.find(which, len(items))} if items else {}
    return [_job_item_row(item, letters.get(item.letter), venues) for item in items]


def _job_item_row(item: JobItem, letter: Letter | None, venues: Mapping[str, VenueFacts]) -> JsonObject:
    """letter: None where it was pruned."""
    data = readable_data(letter) if letter else {}
    venue = str(data.get("venue") or "")
    return {
        "letter": item.letter,
        "reference": letter.new.subject if letter else "",
        "start": iso(letter.new.not_after) if letter else None,
        "guest": guest_initials(data),
        "venue": venue,
        "zone": zone_name(venue, venues),
        "place": item.place,
        "verdict": item.verdict.value,
        "state": item.state.value,
        "detail": item.detail,
    }


def audit_row(act: AuditRow) -> JsonObject:
    return {
        "at": iso(act.at),
        "who": act.who,
        "act": act.act,
        "letter": act.letter,
        "why": act.why,
        "what": act.what,
        "id": act.link.id,
        "prev": act.link.prev,
        "words_hash": act.link.words_hash,
        "hash": act.link.hash,
        "forgotten": act.link.forgotten,
    }


def user_row(user: User) -> JsonObject:
    return {
        "name": user.name,
        "role": user.role.value,
        "created": iso(user.created),
        "disabled": user.disabled,
        "has_password": bool(user.password_hash),
    }


def token_row(token: ApiToken) -> JsonObject:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "who": token.who,
        "created": iso(token.created),
        "last_used": iso(token.last_used),
        "expires": iso(token.expires),
        "revoked": token.revoked,
    }


def guest_row(found: GuestFound) -> JsonObject:
    """confirm: what whoever erases just this repeats."""
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(found).items()}
    return told | {"confirm": found.digest}


def chain_row(report: ChainReport) -> JsonObject:
    """after: the last row that was pruned, 0 for none. last, hash: the newest row that fits."""
    broken = report.broken
    return {
        "whole": broken is None,
        "rows": report.rows,
        "after": report.before,
        "last": report.last,
        "hash": report.hash,
        "broken": None if broken is None else {"row": broken.row, "what": broken.what, "why": broken.why},
    }
