"""The ledger's words: what it is asked and what it answers. Plain values; no SQL, no I/O."""

from bellhop.ledger.records.alerts import AlertMessage, AlertRow, DeadReceiver
from bellhop.ledger.records.bookings import TO_CANCEL, Booking, Entry, EntryState, describe_entries
from bellhop.ledger.records.calls import RESTORED, Attempt, Json, VendorCall
from bellhop.ledger.records.claims import Claim, ClaimBusy, Claimed, Held, Refused, Settled, Settlement
from bellhop.ledger.records.doubts import Doubt, ProofResult, Proven
from bellhop.ledger.records.edits import Edit, EditState
from bellhop.ledger.records.events import EventView, Standing, State
from bellhop.ledger.records.floods import Flood, FloodState, HeldEvent
from bellhop.ledger.records.jobs import BulkJob, ItemState, JobItem, JobState, Verdict
from bellhop.ledger.records.letters import (
    CauseLife,
    CauseRow,
    CauseSaid,
    CauseState,
    Letter,
    LetterFilter,
    LetterState,
    NewLetter,
    Note,
    Order,
    WaitingLetters,
)
from bellhop.ledger.records.parts import Part, ReloadAsked
from bellhop.ledger.records.people import ApiToken, Role, Session, User
from bellhop.ledger.records.refusals import (
    RefusalCause,
    RefusedCount,
    RefusedPost,
    TakenPost,
    TakenVerdict,
    TakeRefused,
)
from bellhop.ledger.records.sources import AskState, Silence, SourceLink, TakeAsk
from bellhop.ledger.records.steering import AuditRow, ChainBreak, ChainLink, ChainReport, GuestFound, Pause

__all__ = [
    "RESTORED",
    "TO_CANCEL",
    "AlertMessage",
    "AlertRow",
    "ApiToken",
    "AskState",
    "Attempt",
    "AuditRow",
    "Booking",
    "BulkJob",
    "CauseLife",
    "CauseRow",
    "CauseSaid",
    "CauseState",
    "ChainBreak",
    "ChainLink",
    "ChainReport",
    "Claim",
    "ClaimBusy",
    "Claimed",
    "DeadReceiver",
    "Doubt",
    "Edit",
    "EditState",
    "Entry",
    "EntryState",
    "EventView",
    "Flood",
    "FloodState",
    "GuestFound",
    "Held",
    "HeldEvent",
    "ItemState",
    "JobItem",
    "JobState",
    "Json",
    "Letter",
    "LetterFilter",
    "LetterState",
    "NewLetter",
    "Note",
    "Order",
    "Part",
    "Pause",
    "ProofResult",
    "Proven",
    "RefusalCause",
    "Refused",
    "RefusedCount",
    "RefusedPost",
    "ReloadAsked",
    "Role",
    "Session",
    "Settled",
    "Settlement",
    "Silence",
    "SourceLink",
    "Standing",
    "State",
    "TakeAsk",
    "TakeRefused",
    "TakenPost",
    "TakenVerdict",
    "User",
    "VendorCall",
    "Verdict",
    "WaitingLetters",
    "describe_entries",
]
