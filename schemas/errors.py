"""The errors Bellhop raises across package borders, in one hierarchy.

Every message says what happened, where, and what to do. None may carry a secret or personal data:
field names and rules, never field values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class BellhopError(Exception):
    """Base of every error Bellhop raises on purpose."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """`key` is the dotted TOML key, `problem` what is wrong with the value (never the value of a secret), `place` the
    file and line or the environment variable it came from, `advice` what to write instead, "" where that is plain."""

    key: str
    problem: str
    place: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.problem}{'; ' if self.advice else ''}{self.advice}"


class SettingsError(BellhopError):
    """Raised at start when settings are wrong. `problems` has all that is, one line each; `key`, `problem` and `place`
    are the first one's."""

    def __init__(self, key: str, problem: str, place: str, *, advice: str = "") -> None:
        super().__init__(f"setting {key}: {problem} (in {place})")
        self.key = key
        self.problem = problem
        self.place = place
        self.problems: tuple[SettingProblem, ...] = (SettingProblem(key, problem, place, advice),)

    @classmethod
    def of(cls, problems: Sequence[SettingProblem]) -> SettingsError:
        """The error of one problem or more."""
        first = problems[0]
        made = cls(first.key, first.problem, first.place, advice=first.advice)
        made.problems = tuple(problems)
        if len(problems) > 1:
            made.args = ("\n".join(map(str, problems)),)
        return made


class EnvelopeError(BellhopError):
    """Raised when bytes from a queue are not an envelope this version can read. Such a message is dead at once."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One rule a field broke. `field` is a dotted path such as `data.services.0.start`."""

    field: str
    rule: str


class EventInvalid(BellhopError):
    """Raised when a webhook's content breaks its contract. `problems` names every field and rule."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.rule}" for p in problems))
        self.problems = problems


class BrokerError(BellhopError):
    """Base of what a broker driver raises; drivers wrap their library's exceptions in these and nowhere else."""


class BrokerUnavailable(BrokerError):
    """Raised when the broker cannot be reached. Nothing was handed over."""


class PublishUnconfirmed(BrokerError):
    """Raised when the broker did not confirm a publish: it may or may not hold the message.

    Publishing again with the same id is safe: the ledger knows duplicates.
    """


class PublishRefused(BrokerError):
    """Raised when the broker said no (nack, queue full). It does not hold the message."""


class Unroutable(PublishRefused):
    """Raised when no queue is bound for the address of a publish. The topology was not declared."""


class LedgerError(BellhopError):
    """Base of what the ledger raises."""


class LedgerUnavailable(LedgerError):
    """Raised when the ledger's database cannot be reached or is locked for too long. Nothing was committed."""


class LeaveLater(LedgerError):
    """Raised when a call's account has no leave for it at this moment. Nothing is marked; the gate waits for it."""


class ClaimLost(LedgerError):
    """Raised when a worker acts on a claim that has expired and was taken by another. It must not call the vendor."""
