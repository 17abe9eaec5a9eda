"""What people steer by: causes and words of letters, notes, edits, jobs, pauses, and who may what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from bellhop.ledger.causes import cause_of, words_of
from bellhop.ledger.records import NewLetter

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CHUNK: Final = 500


def _own_number() -> sa.Column[int]:
    return sa.Column("id", _BIG, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.add_column("audit", sa.Column("what", sa.Text(), nullable=False, server_default=""))
    op.add_column("tokens", _moment("made", nullable=True))
    op.add_column("dead_letters", sa.Column("cause", sa.Text(), nullable=False, server_default=""))
    op.add_column("dead_letters", sa.Column("assignee", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "letter_bodies",
        sa.Column("letter", _BIG, nullable=False, autoincrement=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("letter", name="pk_letter_bodies"),
    )
    op.create_table(
        "letter_words",
        sa.Column("letter", _BIG, nullable=False, autoincrement=False),
        _text("words"),
        sa.PrimaryKeyConstraint("letter", name="pk_letter_words"),
    )
    op.execute("INSERT INTO letter_bodies (letter, body, evidence) SELECT id, body, evidence FROM dead_letters")
    _describe_letters()
    op.drop_column("dead_letters", "body")
    op.drop_column("dead_letters", "evidence")
    op.create_index("ix_dead_letters_subject_source", "dead_letters", ["subject", "source"])
    op.create_index("ix_dead_letters_causes", "dead_letters", ["state", "cause", "died", "not_after"])
    op.create_index("ix_dead_letters_state_not_after_id", "dead_letters", ["state", "not_after", "id"])
    op.create_index("ix_dead_letters_state_id", "dead_letters", ["state", "id"])
    _create_people()
    _create_jobs()


def _create_people() -> None:
    op.create_table(
        "letter_notes",
        _own_number(),
        sa.Column("letter", _BIG, nullable=False),
        _moment("at"),
        _text("who"),
        _text("text"),
        sa.PrimaryKeyConstraint("id", name="pk_letter_notes"),
    )
    op.create_index("ix_letter_notes_letter", "letter_notes", ["letter"])
    op.create_table(
        "letter_edits",
        _own_number(),
        sa.Column("letter", _BIG, nullable=False),
        _text("who"),
        _text("why"),
        _moment("at"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _text("state"),
        _text("approver"),
        sa.PrimaryKeyConstraint("id", name="pk_letter_edits"),
    )
    op.create_index("ix_letter_edits_letter", "letter_edits", ["letter"])
    op.create_index("ix_letter_edits_state", "letter_edits", ["state"])
    op.create_table(
        "pauses",
        _text("route"),
        _text("who"),
        _text("why"),
        _moment("since"),
        _moment("until", nullable=True),
        sa.PrimaryKeyConstraint("route", name="pk_pauses"),
    )
    op.create_table(
        "users",
        _text("name"),
        _text("role"),
        _text("password_hash"),
        _moment("created"),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "api_tokens",
        _own_number(),
        _text("name"),
        _text("role"),
        _text("sha256"),
        _text("who"),
        _moment("created"),
        _moment("last_used", nullable=True),
        _moment("expires", nullable=True),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("sha256", name="uq_api_tokens_sha256"),
    )
    op.create_table(
        "sessions",
        _text("sha256"),
        _text("user_name"),
        _text("role"),
        _text("csrf"),
        _moment("expires"),
        sa.PrimaryKeyConstraint("sha256", name="pk_sessions"),
    )
    op.create_table(
        "login_failures",
        _own_number(),
        _text("key"),
        _moment("at"),
        sa.PrimaryKeyConstraint("id", name="pk_login_failures"),
    )
    op.create_index("ix_login_failures_key", "login_failures", ["key"])


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        _own_number(),
        _text("kind"),
        _text("state"),
        _text("who"),
        _text("why"),
        _moment("created"),
        _moment("updated"),
        sa.Column("rate", sa.Double(), nullable=True),
        sa.Column("wave", sa.Integer(), nullable=False),
        _text("detail"),
        _text("run_by"),
        _moment("run_until", nullable=True),
        sa.Column("asked_as", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("asked_as", name="uq_jobs_asked_as"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_table(
        "job_items",
        sa.Column("job", _BIG, nullable=False, autoincrement=False),
        sa.Column("place", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("letter", _BIG, nullable=False),
        _text("verdict"),
        _text("state"),
        _text("detail"),
        sa.PrimaryKeyConstraint("job", "place", name="pk_job_items"),
    )
    op.create_index("ix_job_items_job_state", "job_items", ["job", "state"])


def _describe_letters() -> None:
    """Cause and words of the letters that are there, a few hundred at a time."""
    connection = op.get_bind()
    columns = ("message_id", "error", "source", "event_id", "type", "subject", "account", "reason", "route")
    letters = sa.table("dead_letters", sa.column("id"), sa.column("body"), sa.column("cause"), *map(sa.column, columns))
    words = sa.table("letter_words", sa.column("letter"), sa.column("words"))
    last = 0
    while True:
        query = sa.select(letters).where(letters.c.id > last).order_by(letters.c.id).limit(_CHUNK)
        rows: list[Any] = list(connection.execute(query))
        if not rows:
            return
        last = rows[-1].id
        for row in rows:
            letter = NewLetter(
                **{name: getattr(row, name) for name in columns},
                body=bytes(row.body),
                evidence={},
                attempts=0,
                died=datetime(1970, 1, 1, tzinfo=UTC),
            )
            connection.execute(
                sa.update(letters).where(letters.c.id == row.id).values(cause=_storable(cause_of(letter)))
            )
            connection.execute(sa.insert(words), {"letter": row.id, "words": _storable(words_of(letter))})


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def downgrade() -> None:
    op.add_column("dead_letters", sa.Column("body", sa.LargeBinary(), nullable=False, server_default=""))
    op.add_column("dead_letters", sa.Column("evidence", sa.JSON(), nullable=False, server_default="{}"))
    for column in ("body", "evidence"):
        op.execute(
            f"UPDATE dead_letters SET {column} = "  # noqa: S608  # the two names above
            f"(SELECT {column} FROM letter_bodies WHERE letter_bodies.letter = dead_letters.id)"
        )
    for table in ("job_items", "jobs", "login_failures", "sessions", "api_tokens", "users", "pauses"):
        op.drop_table(table)
    for table in ("letter_edits", "letter_notes", "letter_words", "letter_bodies"):
        op.drop_table(table)
    for index in ("subject_source", "causes", "state_not_after_id", "state_id"):
        op.drop_index(f"ix_dead_letters_{index}", "dead_letters")
    op.drop_column("dead_letters", "cause")
    op.drop_column("dead_letters", "assignee")
    op.drop_column("tokens", "made")
    op.drop_column("audit", "what")
