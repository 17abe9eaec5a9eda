"""The ledger's tables. `migrations/` makes them; a test holds the two together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class MomentColumn(sa.types.TypeDecorator[datetime]):
    """An aware time, stored as whole microseconds since 1970 UTC: the same and in the same order everywhere."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Prose(sa.types.TypeDecorator[str]):
    """Text that others wrote (a vendor's error, a broken message's id). PostgreSQL refuses NUL and nobody can encode
    half a surrogate pair: either would keep a dead letter from being recorded, so both are replaced."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by INTEGER PRIMARY KEY alone
_JSON: Final = sa.JSON(none_as_null=True)

# In every index the column that tells rows apart best comes first: PostgreSQL then finds it also before it has counted
# what is in a new table.
metadata: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _prose(name: str) -> sa.Column[str]:
    return sa.Column(name, Prose, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, MomentColumn, nullable=nullable)


# One row for each content of an event. `calling` is the call about to be made or in doubt, `calling_token` the claim it
# was marked under, `called_at` when; on a dead (or discarded) event it says that it died of that doubt. erased: when
# what it holds of its guest was, unless `updated` is later.
events: Final = sa.Table(
    "events",
    metadata,
    sa.Column("pk", _BIG, primary_key=True),
    _text("source"),
    _text("event_id"),
    _text("content_hash"),
    _text("business_key"),
    _text("type"),
    _text("subject"),
    _text("route"),
    _text("account"),
    _moment("time"),
    _moment("received"),
    _moment("not_after", nullable=True),
    _text("state"),
    _prose("detail"),
    _text("reason"),
    _number("generation"),
    _text("claimed_by"),
    _number("claim_token"),
    _moment("claim_until"),
    sa.Column("calling", _JSON, nullable=True),
    _number("calling_token"),
    _moment("called_at", nullable=True),
    _moment("next_at", nullable=True),
    _number("attempts"),
    _moment("updated"),
    _moment("erased", nullable=True),
    sa.UniqueConstraint("event_id", "source", "content_hash"),
    sa.Index(None, "business_key", "source"),
    sa.Index(None, "subject", "source", "state"),
    sa.Index(None, "state", "route"),
    sa.Index(None, "updated"),
    sa.Index(None, "source", "pk"),  # the newest of a source that is seldom heard: else all rows are gone through
    sqlite_autoincrement=True,  # a row's number is half of a fence: it must not come back after pruning
)

attempts: Final = sa.Table(
    "attempts",
    metadata,
    sa.Column("pk", _BIG, primary_key=True),
    sa.Column("event_pk", _BIG, nullable=False),
    _text("method"),
    _moment("started"),
    sa.Column("seconds", sa.Double, nullable=False),
    _text("outcome"),
    _prose("error"),
    sa.Column("request", _JSON, nullable=True),
    sa.Column("answer", _JSON, nullable=True),
    sa.Index(None, "event_pk"),
)

# A call whose end nobody knew once, also after it was made again or a person said that it made nothing: by these rows
# what comes to light later is known as ours. since: when it was made.
doubts: Final = sa.Table(
    "doubts",
    metadata,
    sa.Column("event_pk", _BIG, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    _text("account"),
    sa.Column("call", _JSON, nullable=False),
    _moment("since"),
    sa.Index(None, "account"),
)

# What people are found by, see `ledger.search_terms`.
event_words: Final = sa.Table(
    "event_words",
    metadata,
    sa.Column("word", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("event_pk", _BIG, primary_key=True, autoincrement=False),
    sa.Index(None, "event_pk"),
    sqlite_with_rowid=False,
)

# as_of, as_of_rank and as_of_received are the place, in its order, of the newest event applied. last_start is the
# latest start known. asked: what its entries were booked for; it names the guest. replaced_by: the reference that took
# its place, "" for none. venue: as its events name it, "" where it is older than the column.
bookings: Final = sa.Table(
    "bookings",
    metadata,
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    _text("account"),
    sa.Column("entries", _JSON, nullable=False),
    _moment("as_of", nullable=True),
    _number("as_of_rank"),
    _moment("as_of_received", nullable=True),
    sa.Column("cancelled", sa.Boolean, nullable=False),
    _moment("last_start", nullable=True),
    sa.Column("asked", _JSON, nullable=True),
    sa.Column("replaced_by", sa.Text, nullable=False, server_default=""),
    _moment("updated"),
    sa.Column("venue", sa.Text, nullable=False, server_default=""),
    sa.Index(None, "updated"),
)

# made: when the token was got; none of one that is older than the column.
tokens: Final = sa.Table(
    "tokens",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("token", sa.Text, nullable=True),
    sa.Column("login_by", sa.Text, nullable=True),
    _moment("login_until", nullable=True),
    _moment("made", nullable=True),
)

# What a vendor says of a company, as JSON. given: when, none before the first; asking_until: until then one asks.
vendor_answers: Final = sa.Table(
    "vendor_answers",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("question", sa.Text, primary_key=True),
    _text("answer"),
    _moment("given", nullable=True),
    _moment("asking_until", nullable=True),
)

# One row for each account that was ever called with limits, failed or pulled. next_at: before it no call starts, as
# calls are spaced. opened: how often in a row the breaker opened; 0 is closed. probe_until: until then one call tries
# whether it is over. refused: the last call's credentials were, and that is what the breaker counts.
accounts: Final = sa.Table(
    "accounts",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    _moment("next_at", nullable=True),
    _moment("not_before", nullable=True),
    _text("day"),
    _number("used"),
    _number("failures"),
    _number("opened"),
    _moment("open_until", nullable=True),
    _moment("probe_until", nullable=True),
    _prose("error"),
    sa.Column("refused", sa.Boolean, nullable=False),
    _text("pull_by"),
    _moment("pull_until", nullable=True),
    _moment("updated"),
)

# A call on its way, of an account that limits how many there are at once. One whose process died ends by itself.
permits: Final = sa.Table(
    "permits",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("account"),
    _moment("until"),
    sa.Index(None, "account"),
)

# reached: everything older is pulled. pulled: when that was found out.
watermarks: Final = sa.Table(
    "watermarks",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, primary_key=True),
    _moment("reached"),
    _moment("pulled"),
)

# Whose booking a vendor's id is: a callback about it is our own, and people ask by it.
vendor_ids: Final = sa.Table(
    "vendor_ids",
    metadata,
    sa.Column("vendor_id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    _text("reference"),
    _text("source"),
    sa.Index(None, "reference", "source"),
)

# What letters are listed, counted and grouped by; their bodies stand apart, so that a hundred thousand are soon gone
# through.
dead_letters: Final = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
    _prose("message_id"),
    _prose("route"),
    _prose("reason"),
    _prose("error"),
    _number("attempts"),
    _moment("died"),
    _prose("source"),
    _prose("event_id"),
    _prose("type"),
    _prose("subject"),
    _prose("account"),
    _number("generation"),
    _moment("not_after", nullable=True),
    _text("state"),
    _prose("cause"),
    _prose("assignee"),
    _moment("archived"),
    _moment("updated"),
    sa.Index(None, "state", "reason"),
    sa.Index(None, "event_id", "source"),
    sa.Index(None, "subject", "source"),
    sa.Index("ix_dead_letters_causes", "state", "cause", "died", "not_after"),
    sa.Index(None, "state", "not_after", "id"),
    sa.Index(None, "state", "id"),
    sqlite_autoincrement=True,  # people write letters' numbers down
)

letter_bodies: Final = sa.Table(
    "letter_bodies",
    metadata,
    sa.Column("letter", _BIG, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("evidence", _JSON, nullable=False),
)

letter_words: Final = sa.Table(
    "letter_words",
    metadata,
    sa.Column("letter", _BIG, primary_key=True, autoincrement=False),
    _prose("words"),
)

# What people have said of a cause last.
cause_lives: Final = sa.Table(
    "cause_lives",
    metadata,
    sa.Column("cause", Prose, primary_key=True),
    _text("said"),
    _prose("who"),
    _prose("why"),
    _moment("at"),
    _moment("until", nullable=True),
)

letter_notes: Final = sa.Table(
    "letter_notes",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    sa.Column("letter", _BIG, nullable=False),
    _moment("at"),
    _prose("who"),
    _prose("text"),
    sa.Index(None, "letter"),
)

letter_edits: Final = sa.Table(
    "letter_edits",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    sa.Column("letter", _BIG, nullable=False),
    _prose("who"),
    _prose("why"),
    _moment("at"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _text("state"),
    _prose("approver"),
    sa.Index(None, "letter"),
    sa.Index(None, "state"),
)

# Paused routes.
pauses: Final = sa.Table(
    "pauses",
    metadata,
    sa.Column("route", sa.Text, primary_key=True),
    _prose("who"),
    _prose("why"),
    _moment("since"),
    _moment("until", nullable=True),
)

# The processes of this Bellhop, as they tell it themselves, see `ledger.parts`.
parts: Final = sa.Table(
    "parts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("kind"),
    _text("host"),
    _text("version"),
    sa.Column("routes", _JSON, nullable=False),
    sa.Column("needs", _JSON, nullable=False),
    _moment("started"),
    _moment("since"),
    _moment("seen"),
    _moment("stopped", nullable=True),
    sa.Column("digest", sa.Text, nullable=False, server_default=""),
    sa.Column("problem", Prose, nullable=False, server_default=""),
)

# That all parts are asked to read their settings anew; each looks with its beat.
reloads: Final = sa.Table(
    "reloads",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _moment("asked"),
    _prose("who"),
    _prose("why"),
    sqlite_autoincrement=True,
)

# What the ingress answered 4xx, of sources that had proved who they are. `problems` are pairs of field and rule; `body`
# is masked before it comes here.
refused_posts: Final = sa.Table(
    "refused_posts",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _text("source"),
    _text("digest"),
    _number("status"),
    _text("reason"),
    _prose("detail"),
    sa.Column("problems", _JSON, nullable=False),
    _prose("media"),
    _number("size"),
    _prose("body"),
    _moment("first"),
    _moment("last"),
    _number("times"),
    sa.Column("content", sa.LargeBinary, nullable=True),
    sa.Column("is_form", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("signed_id", sa.Text, nullable=False, server_default=""),
    sa.Column("salt", sa.Text, nullable=False, server_default=""),
    _moment("taken", nullable=True),
    sa.Column("became", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("digest", "source"),
    sa.Index(None, "last"),
    sa.Index(None, "source", "last"),
)

# The links to a source's own page. sha256: of the token.
source_links: Final = sa.Table(
    "source_links",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _text("source"),
    sa.Column("sha256", sa.Text, nullable=False, unique=True),
    _prose("who"),
    _prose("why"),
    _moment("created"),
    _moment("expires"),
    _moment("last_used", nullable=True),
    sa.Column("revoked", sa.Boolean, nullable=False),
    sqlite_autoincrement=True,  # the audit names them by their number
)

# What sources ask for: that their refused posts of a cause be taken again.
take_asks: Final = sa.Table(
    "take_asks",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _text("source"),
    _text("cause"),
    _prose("why"),
    _moment("asked"),
    _prose("asked_by"),
    _text("state"),
    _moment("ended", nullable=True),
    _prose("who"),
    _prose("answer"),
    sqlite_autoincrement=True,
)

# Secrets of sources that were rotated, see `schemas.rotations`: none can be worked out from a row.
secret_rotations: Final = sa.Table(
    "secret_rotations",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _text("source"),
    _text("nonce"),
    _text("base"),
    sa.Column("retires", _JSON, nullable=False),
    _moment("made"),
    _moment("ends"),
    _prose("who"),
    _moment("taken", nullable=True),
    sqlite_autoincrement=True,
)

# When sources were heard: in which hours since 1970, how often, and when last. See `ledger.habits`.
heard_hours: Final = sa.Table(
    "heard_hours",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
    _number("count"),
    _moment("last"),
)

# Sources that are silent beyond their habit.
silences: Final = sa.Table(
    "silences",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    _moment("last"),
    _prose("why"),
)

# Cancels and changes of a source that are held. limit: which was passed, in words. hastened: how often the messages of
# what it held were fetched back since it was ended.
floods: Final = sa.Table(
    "floods",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _text("source"),
    _moment("since"),
    _text("limit"),
    _text("state"),
    _prose("who"),
    _prose("reason"),
    _moment("ended", nullable=True),
    _number("hastened"),
    sa.Index(None, "source", "state"),
    sqlite_autoincrement=True,
)

# How many cancels and changes of a source were worked, by the step of time they fell in.
flood_counts: Final = sa.Table(
    "flood_counts",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("venue", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("at", MomentColumn, primary_key=True),
    _number("count"),
)

# What one alert receiver is told of one thing that needs a person. incident: what all its messages bear. facts: what is
# told. gone: since when it needs nobody any more. told, told_count, told_severity: its last message. pending: the next
# one, "" for none; tries, next_at, error: how that goes; claimed_until: until then a process is sending it. The row of
# receiver "" says which process looks, by its incident.
alerts: Final = sa.Table(
    "alerts",
    metadata,
    sa.Column("receiver", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("incident"),
    sa.Column("facts", _JSON, nullable=False),
    _moment("first"),
    _moment("gone", nullable=True),
    _moment("told", nullable=True),
    _number("told_count"),
    _text("told_severity"),
    _text("pending"),
    _number("tries"),
    _moment("next_at", nullable=True),
    _moment("claimed_until", nullable=True),
    _prose("error"),
)

# run_by, run_until: the process that works it. asked_as: what the one who asked for it calls it, so that asking again
# makes no second.
jobs: Final = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _text("kind"),
    _text("state"),
    _prose("who"),
    _prose("why"),
    _moment("created"),
    _moment("updated"),
    sa.Column("rate", sa.Double, nullable=True),
    _number("wave"),
    _prose("detail"),
    _text("run_by"),
    _moment("run_until", nullable=True),
    sa.Column("asked_as", sa.Text, nullable=True, unique=True),
    sa.Index(None, "state"),
    sqlite_autoincrement=True,
)

job_items: Final = sa.Table(
    "job_items",
    metadata,
    sa.Column("job", _BIG, primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("letter", _BIG, nullable=False),
    _text("verdict"),
    _text("state"),
    _prose("detail"),
    sa.Index(None, "job", "state"),
)

users: Final = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("role"),
    _text("password_hash"),
    _moment("created"),
    sa.Column("disabled", sa.Boolean, nullable=False),
)

api_tokens: Final = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _prose("name"),
    _text("role"),
    sa.Column("sha256", sa.Text, nullable=False, unique=True),
    _prose("who"),
    _moment("created"),
    _moment("last_used", nullable=True),
    _moment("expires", nullable=True),
    sa.Column("revoked", sa.Boolean, nullable=False),
)

sessions: Final = sa.Table(
    "sessions",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    _text("user_name"),
    _text("role"),
    _text("csrf"),
    _moment("expires"),
)

login_failures: Final = sa.Table(
    "login_failures",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _prose("key"),
    _moment("at"),
    sa.Index(None, "key"),
)

# The ledger was put back as it was at `as_of`: what was worked between then and `at` it does not know. released: from
# when on nobody need mind it any more.
restores: Final = sa.Table(
    "restores",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _moment("as_of"),
    _moment("at"),
    _prose("who"),
    _prose("why"),
    _moment("released", nullable=True),
    sqlite_autoincrement=True,
)

# Guests who are forgotten, by the number of a search term: what was accepted before and ends later goes, too.
# source: "" for all.
forgotten: Final = sa.Table(
    "forgotten",
    metadata,
    sa.Column("word", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source", sa.Text, primary_key=True),
    _moment("at"),
)

# prev, words_hash, hash, forgotten: its place in the chain, see `ledger.chain`.
audit: Final = sa.Table(
    "audit",
    metadata,
    sa.Column("id", _BIG, primary_key=True),
    _moment("at"),
    _prose("who"),
    _text("act"),
    sa.Column("letter", _BIG, nullable=True),
    _prose("why"),
    _prose("what"),
    sa.Column("prev", sa.Text, nullable=False, server_default=""),
    sa.Column("words_hash", sa.Text, nullable=False, server_default=""),
    sa.Column("hash", sa.Text, nullable=False, server_default=""),
    sa.Column("forgotten", _BIG, nullable=True),
    sa.Index(None, "letter", "id"),
    sqlite_autoincrement=True,
)

# One row: the last row of audit that was pruned, and the newest, with their hashes.
audit_chain: Final = sa.Table(
    "audit_chain",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("before_id", _BIG, nullable=False),
    _text("before_hash"),
    sa.Column("last_id", _BIG, nullable=False),
    _text("last_hash"),
)
