"""Another version of Bellhop, on the same ledger and broker, while webhooks come."""

from __future__ import annotations

import time

from bellhop.drill.faults.people import answer_letters
from bellhop.drill.faults.processes import OTHER, WORKER, replace_rest
from bellhop.drill.site import PARTS, Site
from bellhop.drill.upstream import Sender


def upgrade_and_back(site: Site, upstream: Sender) -> None:
    """As docs/operations.md has it: a copy; the new worker beside the old one, which brings the ledger up to date;
    archive and ingress. Back: everything stopped, the copy put back by the older version, posts sent again. And up once
    more, where a person says what the restore left in doubt."""
    copy, copied = site.folder / "older.copy", time.time()
    site.bellhop("ledger", "backup", str(copy), environment=site.older)
    site.hold(1.0)
    _replace_all(site)
    site.hold(2.0)
    for name in PARTS:
        site.processes.stop(name)
    site.bellhop("ledger", "restore", str(copy), "--yes", "--why", "drill", environment=site.older)
    for name in PARTS:
        site.start(name, site.older)
    site.wait_for_ingress()
    upstream.send_again_since(copied)
    site.hold(2.0)
    _replace_all(site)
    site.sandbox("POST", "callbacks")
    site.hold(4.0)
    answer_letters(site, upstream)
    site.bellhop("ledger", "release", "--yes", "--why", "drill")


def _replace_all(site: Site) -> None:
    """Old and new work side by side meanwhile."""
    site.start_worker(OTHER)
    site.hold(2.0)
    site.processes.stop(WORKER)
    site.start_worker(WORKER)
    site.processes.stop(OTHER)
    replace_rest(site)
