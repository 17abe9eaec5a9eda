"""What PostgreSQL's own programs are told is what the ledger's URL says."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bellhop.ledger.backups import libpq_environment


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "postgresql://bellhop:p%40w@db.example:5433/bookings",
            {"PGHOST": "db.example", "PGPORT": "5433", "PGUSER": "bellhop", "PGPASSWORD": "p@w"},
        ),
        ("postgresql+psycopg:///bookings?host=/run/postgresql", {"PGHOST": "/run/postgresql"}),
        (
            "postgresql://bellhop@/bookings?host=one:5432&host=two:5433&target_session_attrs=read-write",
            {
                "PGHOST": "one,two",
                "PGPORT": "5432,5433",
                "PGUSER": "bellhop",
                "PGTARGETSESSIONATTRS": "read-write",
            },
        ),
        (
            "postgresql://db.example/bookings?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem",
            {"PGHOST": "db.example", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/etc/ssl/db.pem"},
        ),
    ],
    ids=["one host", "a socket", "two hosts", "certificates"],
)
def test_a_url_is_told_whole(url: str, told: dict[str, str]) -> None:
    assert libpq_environment(sa.make_url(url)) == {"PGDATABASE": "bookings", **told}
