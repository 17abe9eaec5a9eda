"""The last posts that were refused, by source."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from bellhop.console.context import parts
from bellhop.ledger.refusals import KEPT, MOST
from bellhop.letters.serializers.refusals import refused_row

blueprint = Blueprint("refused", __name__)

_PAGE = 100


@blueprint.get("/refused")
def index() -> str:
    own = parts()
    source = request.args.get("source", "").replace("\x00", "").strip()[:100]
    posts = own.clean([refused_row(post) for post in own.ledger.refusals.last(source, _PAGE)])
    names = sorted(own.settings.sources)
    return render_template("refused.html", posts=posts, source=source, sources=names, most=MOST, days=KEPT.days)
