"""How a vendor call fails: classified where it is known, once, and never guessed again further up."""

from __future__ import annotations

from enum import StrEnum

from bellhop.ledger.records import Json
from bellhop.schemas.errors import BellhopError


class Kind(StrEnum):
    TRANSIENT = "transient"
    """Certainly not done (no connection, no name, switched off for now): worth another try."""

    THROTTLED = "throttled"
    """Certainly not done: too many calls. `retry_after` where the vendor said how long."""

    AUTH = "auth"
    """Certainly not done: credentials or permission refused, also after logging in again once."""

    REJECTED = "rejected"
    """Certainly not done, and the same call would be refused again."""

    UNKNOWN = "unknown"
    """It may have been done: the request was sent, and no answer that says so either way came back."""


class VendorFailure(BellhopError):
    """Raised when a vendor call did not succeed.

    code: the vendor's own, as text, "" where it has none. message: what went wrong, without secrets. retry_after:
    seconds. status: the HTTP status, None where there was no answer. answer: the vendor's answer without secrets.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        vendor: str,
        method: str,
        message: str,
        code: str = "",
        retry_after: float | None = None,
        status: int | None = None,
        answer: Json | None = None,
    ) -> None:
        where = " ".join(filter(None, (vendor, method)))
        super().__init__(f"{where}: {message}" + (f" ({code})" if code else ""))
        self.kind = kind
        self.vendor = vendor
        self.method = method
        self.message = message
        self.code = code
        self.retry_after = retry_after
        self.status = status
        self.answer = answer

    @property
    def advice(self) -> str:
        """What a person does about it, "" where there is no more to say than the kind does."""
        return ""
