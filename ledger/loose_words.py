"""What people and vendors wrote beside events and letters, and may name a guest: reasons, details and errors.

A guest is known there by a member's id, an address, a telephone's number or a full name; a first name alone could be
anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.guest_looks import Look
from bellhop.ledger.guests import Guest, names_any, read_json
from bellhop.ledger.search_terms import national_digits, plain
from bellhop.ledger.tables import (
    accounts,
    alerts,
    audit,
    bookings,
    cause_lives,
    floods,
    job_items,
    jobs,
    letter_notes,
    login_failures,
    pauses,
    refused_posts,
    reloads,
    restores,
    source_links,
    take_asks,
)

ERASED: Final = "(erased)"

_SHORTEST_ID: Final = 4
_NUMBER: Final = re.compile(r"\+?[\d(][\d\s()./-]{5,}\d")
_PROSE: Final[Mapping[sa.Table, Sequence[str]]] = {
    jobs: ("why", "detail"),
    pauses: ("why",),
    floods: ("reason",),
    restores: ("why",),
    reloads: ("why",),
    source_links: ("why",),
    take_asks: ("why", "answer"),
    cause_lives: ("why", "cause"),
    accounts: ("error",),
    alerts: ("error",),
}
_GOES: Final = (login_failures,)
"""Of these the whole row goes that names the guest: as somebody typed their address to sign in."""


def names_in(guest: Guest) -> Callable[[str], bool]:
    """Whether a text tells of the guest."""
    mails = [name for name in guest.names if "@" in name]
    words = {name for name in guest.names if "@" not in name and len(name) >= _SHORTEST_ID} | guest.called
    patterns = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)") for word in sorted(words)]

    def is_named(text: str) -> bool:
        read = plain(text)
        if any(mail in read for mail in mails) or any(pattern.search(read) for pattern in patterns):
            return True
        return any(national_digits(found) in guest.telephones for found in _NUMBER.findall(read))

    return is_named


def find_mentions(look: Look, guest: Guest) -> None:
    """Notes which refused posts, rows of audit and notes at letters name the guest."""
    if not guest.names:
        return
    is_named = names_in(guest)
    columns = refused_posts.c
    posts = look.whole(refused_posts, sa.select(columns.id, columns.content, columns.detail, columns.body))
    guest.refused |= {row.id for row in posts if _is_of_guest(row, guest)}
    acts = sa.select(audit.c.id, audit.c.why, audit.c.what).where(audit.c.forgotten.is_(None))
    guest.acts |= {row.id for row in look.whole(audit, acts) if is_named(f"{row.why} {row.what}")}
    notes = look.whole(letter_notes, sa.select(letter_notes.c.id, letter_notes.c.text))
    guest.notes |= {row.id for row in notes if is_named(row.text)}


def _is_of_guest(post: Any, guest: Guest) -> bool:
    content = bytes(post.content or b"")
    raw = plain(content.decode("utf-8", "replace"))
    return any(names_any(told, guest.names) for told in (read_json(content), post.detail, post.body)) or any(
        "@" in name and (name in raw or name.replace("@", "%40") in raw) for name in guest.names
    )


def erase_loose_words(connection: sa.Connection, guest: Guest) -> None:
    """Wherever a row of these names the guest; of notes at letters, those that were found to."""
    connection.execute(sa.update(letter_notes).where(letter_notes.c.id.in_(sorted(guest.notes))).values(text=ERASED))
    is_named = names_in(guest)
    for table, names in _PROSE.items():
        keys = list(table.primary_key)
        columns = dict.fromkeys((*keys, *(table.c[name] for name in names)))
        for row in connection.execute(sa.select(*columns)).mappings():
            if gone := {name: ERASED for name in names if is_named(row[name])}:
                same = [key == row[key.name] for key in keys]
                if table is cause_lives and "cause" in gone:  # of a cause that nobody knows any more
                    connection.execute(sa.delete(table).where(*same))
                else:
                    connection.execute(sa.update(table).where(*same).values(gone))
    for told in connection.execute(sa.select(alerts.c.receiver, alerts.c.key, alerts.c.facts)):
        if (facts := _without(told.facts, is_named)) != told.facts:
            same = [alerts.c.receiver == told.receiver, alerts.c.key == told.key]
            connection.execute(sa.update(alerts).where(*same).values(facts=facts))
    for table in _GOES:
        gone_ids = [row.id for row in connection.execute(sa.select(table.c.id, table.c.key)) if is_named(row.key)]
        connection.execute(sa.delete(table).where(table.c.id.in_(gone_ids)))


def _without(value: Any, is_named: Callable[[str], bool]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, is_named) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, is_named) for inner in value]
    return ERASED if isinstance(value, str) and is_named(value) else value


def erase_jobs_words(connection: sa.Connection, letters: Sequence[int]) -> None:
    """What jobs tell of how these letters ended, in a vendor's words."""
    of_them = job_items.c.letter.in_(letters)
    told = sa.select(job_items.c.job).where(of_them, job_items.c.detail != "")
    connection.execute(sa.update(jobs).where(jobs.c.id.in_(told), jobs.c.detail != "").values(detail=ERASED))
    connection.execute(sa.update(job_items).where(of_them, job_items.c.detail != "").values(detail=ERASED))


def erase_bookings_words(connection: sa.Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Of bookings, by source and reference: what they were asked for, and in which words a vendor refused."""
    same = sa.tuple_(bookings.c.source, bookings.c.reference).in_(keys)
    connection.execute(sa.update(bookings).where(same).values(asked=sa.null()))
    held = sa.select(bookings.c.source, bookings.c.reference, bookings.c.entries).where(same)
    for row in connection.execute(held).all():
        if any(entry.get("refusal") not in (None, "", ERASED) for entry in row.entries):
            # What was refused stays refused: only why is gone.
            kept = [{**entry, "refusal": ERASED} if entry.get("refusal") else entry for entry in row.entries]
            this = (bookings.c.source == row.source, bookings.c.reference == row.reference)
            connection.execute(sa.update(bookings).where(*this).values(entries=kept))
