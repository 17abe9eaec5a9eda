"""Every fault by name. A drill chooses among them by its seed; `bellhop drill faults` shows them."""

from __future__ import annotations

from typing import Final

from bellhop.drill.backends import DISKS
from bellhop.drill.faults import backends, disks, links, people, processes, vendors, versions
from bellhop.drill.faults.fault import EVERYTHING, Does, DrillFault, again
from bellhop.drill.proxy import Mode
from bellhop.drill.site import CLAIM_SECONDS

_RABBIT, _POSTGRES = frozenset({"rabbitmq node"}), frozenset({"postgresql node"})
UPGRADED: Final = "upgraded_and_back"
"""The parts begin as the older version: it is the first that is done, and done once."""
_OLDER: Final = frozenset({"older version"})
_PAIR: Final = frozenset({"postgresql pair"})
_CLUSTER: Final = frozenset({"rabbitmq cluster"})
_NEWER: Final = frozenset({"newer rabbitmq"})
_AMQP, _PG = frozenset({"amqp"}), frozenset({"postgresql"})
_EMBEDDED, _SQLITE = frozenset({"embedded"}), frozenset({"sqlite"})
_DISK: Final = {name: frozenset({f"{name} disk"}) for name in DISKS}
_BREAKS: Final = "an error turns it read-only, repaired after 4 s"
_PROCESSES: Final = frozenset({"worker", "ingress", "archive"})
_CLOCK = frozenset({"libfaketime"})
_BOOKINGS: Final = frozenset({"bookings"})
_PEOPLE: Final = frozenset({"people", "ledger"})
"""A route is paused by a command, which needs the ledger."""
_LONG = CLAIM_SECONDS + 2


def _away(link: str) -> Does:
    return again(links.link(link, Mode.CUT, 2.0), 3)


FAULTS: Final[tuple[DrillFault, ...]] = (
    DrillFault("worker_killed", "worker", "kill -9", processes.kill(processes.WORKER)),
    DrillFault("worker_killed_often", "worker", "kill -9 four times, seconds apart", processes.kill_often),
    DrillFault(
        "worker_killed_amid_calls",
        "worker",
        "kill -9 while vendors hold its calls",
        vendors.kill_amid_calls,
        also=_BOOKINGS,
    ),
    DrillFault("worker_stopped", "worker", "SIGTERM", processes.stop(processes.WORKER)),
    DrillFault("worker_frozen", "worker", "SIGSTOP beyond its claims", processes.freeze(processes.WORKER, _LONG)),
    DrillFault("worker_replaced", "worker", "frozen, overtaken by another, thawed", processes.replace_frozen),
    DrillFault("ingress_killed", "ingress", "kill -9", processes.kill("ingest")),
    DrillFault("ingress_stopped", "ingress", "SIGTERM", processes.stop("ingest")),
    DrillFault("ingress_frozen", "ingress", "SIGSTOP for 2 s, three times", again(processes.freeze("ingest", 2.0), 3)),
    DrillFault("answers_cut", "ingress", "posts and answers cut", links.cut_often("upstream")),
    DrillFault("archive_killed", "archive", "kill -9", processes.kill("archive")),
    DrillFault("archive_frozen", "archive", "SIGSTOP for 3 s, three times", again(processes.freeze("archive", 3.0), 3)),
    DrillFault("all_killed", "all", "kill -9 of every process at once", processes.kill_everything),
    DrillFault("rolling_restart", "all", "each part replaced in turn", processes.roll),
    DrillFault(
        UPGRADED, "all", "a newer version beside it, and back", versions.upgrade_and_back, _OLDER, also=EVERYTHING
    ),
    DrillFault("broker_restarted", "broker", "stopped and started", backends.restart_broker, _RABBIT),
    DrillFault("broker_killed", "broker", "kill -9 of the node", backends.kill_broker, _RABBIT),
    DrillFault("broker_nodes_killed", "broker", "kill -9 of each node in turn", backends.kill_nodes, _CLUSTER),
    DrillFault("broker_node_cut_off", "broker", "one node from the others, for 25 s", backends.cut_off_node, _CLUSTER),
    DrillFault(
        "broker_upgraded",
        "broker",
        "stopped, started as the newer one",
        backends.upgrade_broker,
        _RABBIT | _NEWER,
        also=_PEOPLE,
    ),
    DrillFault("broker_frozen", "broker", "SIGSTOP for 12 s", backends.freeze_broker, _RABBIT),
    DrillFault("broker_memory_alarm", "broker", "memory alarm for 4 s", backends.alarm_memory, _RABBIT),
    DrillFault("broker_disk_alarm", "broker", "disk alarm for 4 s", backends.alarm_disk, _RABBIT),
    DrillFault("broker_cut", "broker", "connections reset, again and again", links.cut_often("broker"), _AMQP),
    DrillFault("broker_away", "broker", "no connection for 2 s, three times", _away("broker"), _AMQP),
    DrillFault("broker_silent", "broker", "a black hole for 12 s", links.link("broker", Mode.BLACK_HOLE, 12.0), _AMQP),
    DrillFault("broker_slow", "broker", "0.15 s more for each packet", links.link("broker", Mode.SLOW, 5.0), _AMQP),
    DrillFault("broker_locked", "broker", "another writes to its file for 7 s", backends.lock_broker, _EMBEDDED),
    DrillFault("ledger_locked", "ledger", "another writes to its file for 7 s", backends.lock_ledger, _SQLITE),
    DrillFault("ledger_disk_full", "ledger", "not a byte free for 4 s", disks.full("ledger"), _DISK["ledger"]),
    DrillFault("ledger_disk_broken", "ledger", _BREAKS, disks.break_down("ledger"), _DISK["ledger"], also=_PROCESSES),
    DrillFault("broker_disk_full", "broker", "not a byte free for 4 s", disks.full("broker"), _DISK["broker"]),
    DrillFault("broker_disk_broken", "broker", _BREAKS, disks.break_down("broker"), _DISK["broker"], also=_PROCESSES),
    DrillFault("logs_disk_full", "logs", "not a byte free for 4 s", disks.full("logs"), _DISK["logs"]),
    DrillFault("logs_disk_broken", "logs", _BREAKS, disks.break_down("logs"), _DISK["logs"], also=_PROCESSES),
    DrillFault("ledger_restarted", "ledger", "stopped and started", backends.restart_ledger, _POSTGRES),
    DrillFault("ledger_killed", "ledger", "kill -9 of the node", backends.kill_ledger, _POSTGRES),
    DrillFault("ledger_failed_over", "ledger", "kill -9, its standby takes over", backends.fail_over, _PAIR),
    DrillFault("ledger_frozen", "ledger", "SIGSTOP for 6 s", backends.freeze_ledger, _POSTGRES),
    DrillFault("ledger_read_only", "ledger", "nothing can be written for 4 s", backends.make_read_only, _POSTGRES),
    DrillFault(
        "ledger_sessions_ended", "ledger", "every session ended, again and again", backends.end_sessions, _POSTGRES
    ),
    DrillFault("ledger_cut", "ledger", "connections reset, again and again", links.cut_often("ledger"), _PG),
    DrillFault("ledger_away", "ledger", "no connection for 2 s, three times", _away("ledger"), _PG),
    DrillFault("ledger_silent", "ledger", "a black hole for 8 s", links.link("ledger", Mode.BLACK_HOLE, 8.0), _PG),
    DrillFault(
        "ledger_restored", "ledger", "a copy put back, posts sent again", backends.restore_ledger(4.0), also=EVERYTHING
    ),
    DrillFault("bookings_unanswered", "bookings", "carried out, no answer", vendors.bookings_meet("timeout_after")),
    DrillFault(
        "bookings_reset", "bookings", "carried out, connection reset", vendors.bookings_meet("reset", when="after")
    ),
    DrillFault("bookings_late", "bookings", "no answer, carried out 2 s later", vendors.bookings_come_late),
    DrillFault(
        "bookings_later", "bookings", "no answer, carried out after they were made again", vendors.bookings_come_later
    ),
    DrillFault("bookings_reset_late", "bookings", "reset, carried out 2 s later", vendors.resets_come_late),
    DrillFault("bookings_hang", "bookings", "no answer, never carried out", vendors.bookings_meet("timeout_before")),
    DrillFault(
        "bookings_500", "bookings", "carried out, answered 500", vendors.bookings_meet("http", status=500, when="after")
    ),
    DrillFault(
        "bookings_page",
        "bookings",
        "carried out, answered in HTML",
        vendors.bookings_meet("http", status=200, when="after"),
    ),
    DrillFault("bookings_503", "bookings", "not carried out, 503", vendors.bookings_meet("http", status=503)),
    DrillFault("bookings_refused", "bookings", "the vendor's own error", vendors.bookings_meet("error")),
    DrillFault("cancels_unanswered", "cancels", "carried out, no answer", vendors.cancels_meet("timeout_after")),
    DrillFault("cancels_late", "cancels", "no answer, carried out 2 s later", vendors.cancels_come_late),
    DrillFault(
        "vendor_throttles", "vendor", "429, Retry-After 1", vendors.everything_meets("http", status=429, retry_after=1)
    ),
    DrillFault(
        "vendor_slow", "vendor", "each answer 0.7 s later", vendors.everything_meets("slow", seconds=0.7, times=40)
    ),
    DrillFault("vendor_frozen", "vendor", "SIGSTOP for 2 s, three times", again(vendors.freeze_vendors, 3)),
    DrillFault("vendor_cut", "vendor", "connections reset, again and again", links.cut_often("vendor")),
    DrillFault("vendor_away", "vendor", "no connection for 2 s, three times", _away("vendor")),
    DrillFault(
        "vendor_silent",
        "vendor",
        "a black hole for 2 s, three times",
        again(links.link("vendor", Mode.BLACK_HOLE, 2.0), 3),
    ),
    DrillFault(
        "worker_clock_ahead", "clock", "10 min ahead, and back", processes.jump_clock(processes.WORKER, 600), _CLOCK
    ),
    DrillFault(
        "worker_clock_behind", "clock", "10 min behind, and back", processes.jump_clock(processes.WORKER, -600), _CLOCK
    ),
    DrillFault("archive_clock_ahead", "clock", "a day ahead, and back", processes.jump_clock("archive", 86400), _CLOCK),
    DrillFault("letters_replayed", "people", "two replay every letter at once", people.replay_letters),
    DrillFault("letters_answered", "people", "doubts answered, others replayed", people.answer_letters),
    DrillFault("letters_discarded", "people", "closed by mistake, restored", people.discard_and_restore),
    DrillFault("routes_paused", "people", "both booking routes for 2 s", people.pause_routes),
    DrillFault("retried_now", "people", "the ladder hastened, four times", people.hasten_retries),
    DrillFault("posts_again", "upstream", "the last 40 sent once more", people.send_again),
)
BY_NAME: Final = {fault.name: fault for fault in FAULTS}


def possible(has: frozenset[str]) -> list[DrillFault]:
    """Those that can be done to an installation. has: `Backends.has()`."""
    return [fault for fault in FAULTS if fault.needs <= has]
