"""What people do: bulk jobs and the audit; and who they are: users and tokens."""

from __future__ import annotations

from bellhop.ledger.records import ApiToken, AuditRow, BulkJob, ItemState, JobItem, User
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso


def job_row(job: BulkJob) -> JsonObject:
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
    }


def job_item_row(item: JobItem) -> JsonObject:
    return {
        "letter": item.letter,
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
