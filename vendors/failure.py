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
    """Certainly not done: credentials or permission refused, also after logging in again once. In a row they hold the
    account."""

    REJECTED = "rejected"
    """Certainly not done, and the same call would be refused again."""

    UNKNOWN = "unknown"
    """It may have been done: the request was sent, and no answer that says so either way came back."""


class VendorFailure(BellhopError):
    """Raised when a vendor call did not succeed.

    code: the vendor's own, as text, "" where it has none. message: what went wrong, without secrets. retry_after:
    seconds. status: the HTTP status, None where there was no answer. answer: the vendor's answer without secrets.

    said_no: of UNKNOWN: the vendor's own answer refused, in words that no table knows. Once that may be a fault of the
    moment; said again while nothing of the call stands, it is a refusal. from_page: what answered was not the vendor,
    but something before it. tells_nothing: of the account, as more is asked before anybody knows: a shared token
    was refused, which is worth a new login, or the words are of no table.
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
        said_no: bool = False,
        from_page: bool = False,
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
        self.said_no = said_no
        self.from_page = from_page
        self.tells_nothing = False

    @property
    def is_away(self) -> bool:
        """Whether the vendor itself was not heard: for the breaker. A refusal is its word, and so is an answer below
        500 that nobody can read."""
        if self.kind is Kind.UNKNOWN:
            return self.from_page or ((self.status is None or self.status >= 500) and not self.code)
        return self.kind is Kind.TRANSIENT

    @property
    def advice(self) -> str:
        """What a person does about it, "" where there is no more to say than the kind does."""
        return ""
