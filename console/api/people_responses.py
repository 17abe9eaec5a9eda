"""Schemas of answers about guests, and about the audit as a whole."""

from __future__ import annotations

from marshmallow import fields

from bellhop.console.api.responses import ApiAnswer


class GuestFoundLine(ApiAnswer):
    events = fields.Integer(metadata={"description": "How many tell of the guest; likewise letters and refused."})
    letters = fields.Integer()
    refused = fields.Integer(metadata={"description": "Refused posts."})
    at_work = fields.List(fields.String(), metadata={"description": "Events that are erased once they have ended."})
    open_letters = fields.List(fields.Integer())
    in_doubt = fields.List(fields.String(), metadata={"description": "Events whose call is in doubt: decide it first."})
    coming = fields.List(fields.String(), metadata={"description": "Bookings that stand and are to come."})
    sources = fields.List(fields.String())
    confirm = fields.String(metadata={"description": "For /guests/forget: that just this is meant."})


class ChainBreakLine(ApiAnswer):
    row = fields.Integer()
    what = fields.String(metadata={"description": "changed, missing or inserted."})
    why = fields.String()


class ChainState(ApiAnswer):
    whole = fields.Boolean()
    rows = fields.Integer(metadata={"description": "How many fit."})
    after = fields.Integer(metadata={"description": "The last row that was pruned; 0: none was."})
    last = fields.Integer(metadata={"description": "The last row that fits."})
    hash = fields.String(metadata={"description": "Of that row: note it elsewhere, as `last:hash`."})
    broken = fields.Nested(ChainBreakLine, allow_none=True)
