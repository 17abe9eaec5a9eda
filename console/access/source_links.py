"""Who comes by a source's own link: let in to the pages of that source, and to nothing else.

The token is 256 random bits, of which the ledger keeps the SHA-256. It stands in the link behind a `#`, which browsers
send to nobody: no proxy's log, no history of a server and no `Referer` has it. The page posts it once, and has it back
as a cookie for these pages alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from flask import abort, g, redirect, request
from werkzeug.wrappers import Response

from bellhop.console.access.sessions import same
from bellhop.ledger.records import SourceLink
from bellhop.schemas.settings.console import ConsoleSettings

if TYPE_CHECKING:
    from bellhop.console.context import ConsoleParts
    from bellhop.ledger.source_links import SourceLinks

COOKIE: Final = "bellhop_source"
PATH: Final = "/source"
ENTER: Final = f"{PATH}/enter"
LASTS: Final = timedelta(days=30)
"""A link, where nobody says otherwise."""
_SAFE: Final = ("GET", "HEAD", "OPTIONS")


def hash_link_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def make_link(
    links: SourceLinks, settings: ConsoleSettings, source: str, expires: datetime, *, who: str, why: str
) -> tuple[SourceLink, str]:
    """A new one, and its address, which nobody can make again. Raises LedgerUnavailable."""
    token = secrets.token_urlsafe(32)
    made = links.add(source, hash_link_token(token), expires, who=who, why=why)
    base = settings.source_url.rstrip("/") or settings.base_url
    return made, f"{base}{ENTER}#{token}"


def csrf_of(token: str) -> str:
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def admit_source(parts: ConsoleParts) -> Response | None:
    """Lets in who holds a link that lasts, as `g.link`; a form needs its word, too."""
    token = request.cookies.get(COOKIE, "")
    g.link = parts.ledger.source_links.holder(hash_link_token(token)) if token else None
    if g.link is None or g.link.source not in parts.settings.sources:
        return redirect(ENTER)
    g.link_csrf = csrf_of(token)
    if request.method not in _SAFE and not same(request.form.get("csrf", ""), g.link_csrf):
        abort(403, "This form belongs to another link. Reload the page.")
    return None


def holder() -> SourceLink:
    """Whose request it is; only where `admit_source` lets nobody else in."""
    found: SourceLink = g.link
    return found
