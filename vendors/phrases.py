"""What vendors say in words of their own, where no document lists the words: throttling, credentials, crashes, limits.

A code is no help there: a Zend server turns every code outside its range into -32000 and keeps the words, and a .NET
backend puts an exception's text where a refusal's would stand. Each vendor looks first for the words of its document.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bellhop.vendors.failure import Kind


@dataclass(frozen=True, slots=True)
class Phrase:
    """One thing that is said in many ways. title: of it, for the documents. advice: what a person does. patterns:
    regular expressions over the `normal` text."""

    title: str
    kind: Kind
    advice: str
    patterns: tuple[str, ...]

    def is_in(self, normal_text: str) -> bool:
        return re.search("|".join(self.patterns), normal_text) is not None


_BAD: Final = (
    r"(?:expired?|lapsed|has ended|timed? ?out|invalid|not valid|no longer valid|wrong|incorrect|bad|unknown|missing"
    r"|required|revoked|denied|rejected|refused|mismatch|not found|does not (?:exist|match)|doesn't (?:exist|match)"
    r"|not recogni[sz]ed|not accepted|disabled|inactive|locked|blocked|suspended|failed|failure|empty|outdated|stale)"
)
_KEY: Final = (
    r"(?:tokens?|session|api[ -]?keys?|access[ -]?keys?|auth[ _]?ids?|credentials?|passwords?|user ?names?"
    r"|log ?ins?|sign[ -]?ins?|logon|authenti[a-z]+|integration(?: account)?)"
)

THROTTLED: Final = Phrase(
    "throttling",
    Kind.THROTTLED,
    "nothing: it is tried again more slowly",
    (
        r"\btoo many (?:api |http |concurrent |simultaneous |parallel )?(?:requests?|calls?|connections?|attempts?)\b",
        r"\b(?:rate|api|requests?|calls?|query|queries)[ -]?(?:rate )?(?:limit|quota)",
        r"\b(?:limit|quota) (?:of|for|on) (?:the )?(?:api|requests?|calls?|queries)\b",
        r"\b(?:requests?|calls?|queries) per (?:second|minute|hour|day)\b",
        r"\bexceeded (?:the |your )?(?:\w+ ){0,3}(?:requests?|calls?)\b",
        r"\bthrottl|\bslow down\b|\bflood(?:ing)?\b",
    ),
)
CREDENTIALS: Final = Phrase(
    "credentials, a token or a permission",
    Kind.AUTH,
    "check the account's credentials and permissions (bellhop doctor)",
    (
        rf"\b{_KEY}\b(?: \S+){{0,4}}? {_BAD}\b",
        rf"\b{_BAD} (?:\S+ ){{0,3}}?{_KEY}\b",
        r"\bun-?authori[sz]ed\b|\bnot authori[sz]ed\b|\bun-?authenticated\b|\bnot (?:logged|signed) in\b",
        r"\b(?:could not|can ?not|can't|unable to) (?:be )?(?:log|sign|authenticat|verif)",
        r"\b(?:access|permissions?) (?:\S+ ){0,4}?(?:denied|forbidden|not allowed|not granted|refused)\b",
        r"\b(?:no|not enough|insufficient|lacks?|without) (?:access|permissions?|rights|privileges)\b",
        r"^forbidden\b|\(40[13]\)",
        r"\b(?:log|sign) ?in (?:again|anew|first)\b|\bplease (?:re-?)?(?:log ?in|sign ?in|authenticate)\b",
    ),
)
CRASHED: Final = Phrase(
    "a crash, or a time-out of what stands behind",
    Kind.UNKNOWN,
    "look whether the booking is there",
    (
        r"\btime-?outs?\b|\btimed[ -]out\b|\bdeadline exceeded\b",
        r"\b(?:internal|server|unexpected|unhandled|unknown|fatal|general|runtime) error\b",
        r"\berror (?:has )?occurr?ed\b|\bsomething went wrong\b|\bcrashed\b",
        # .NET: the names of types, parameters and files, and the texts of its commonest exceptions
        r"(?<!the )exception\b|\b(?:system|microsoft|newtonsoft)\.[a-z]|\bstack ?trace\b|\(parameter '",
        r"\bat [\w.<>`]+\([^)]*\)|\.(?:cs|php|js|py|java)(?:\(|:line|:\d| on line )",
        r"object reference|instance of an object|value cannot be null|nullable object|sequence contains",
        r"index (?:was )?out(?:side)? |outside the bounds|argument was out of|not present in the dictionary",
        r"correct format|not recogni[sz]ed as a valid|unable to cast|cast is not valid|(?:could not|cannot) convert",
        r"conversion failed|error converting|deseriali[sz]|while parsing|unexpected (?:character|token|end of)",
        r"(?:task|operation|request|thread) was (?:being )?(?:cancell?ed|aborted)|operation is not valid due to",
        r"connection (?:was |is |has been )?(?:closed|reset|refused|aborted|broken|lost)|forcibly closed",
        r"transport connection|unable to (?:connect|read data)|could not (?:connect|resolve|be resolved|load file)",
        r"no such host|remote (?:server|name|host) (?:returned|could)|response status code|bad gateway|gateway time",
        r"same key has already|divide by zero|arithmetic overflow|collection was modified|disposed object",
        r"out of memory|stack empty|parameter (?:count|name:)|would be truncated|ssl connection",
        r"requires a target|method not found:",
        r"deadlock|lock wait|rolled back|sqlstate|\bsql\b|mysql|\bdatabase\b|primary key|duplicate (?:key|entry)",
        # PHP and others
        r"violat\w+ (?:of|the)|constraint violat|undefined (?:index|variable|offset|method|property|function|array)",
        r"member function|non-object|null (?:pointer|reference)|\bof (?:null|undefined)\b|traceback|segmentation fault",
    ),
)
LATER: Final = Phrase(
    "not now",
    Kind.TRANSIENT,
    "nothing: it is tried again",
    (
        r"\b(?:try|retry)(?: it)?(?: again)? (?:later|soon|shortly|in (?:a|an|some|\d+)\b)|\bat a later time\b",
        r"\btemporar(?:y|ily)\b|\bmaintenance\b|^service unavailable\b|\(503\)|\bcurrently unavailable\b",
        r"\b(?:server|system)s? (?:is |are )?(?:\w+ )?(?:busy|overloaded|down|offline|unavailable|not available)\b",
    ),
)
CAPTCHA: Final = Phrase(
    "a captcha or a check for robots",
    Kind.REJECTED,
    "have this host's address excepted at the vendor, or book it by hand; then replay or discard",
    (r"captcha|\brobot\b|\bnot human\b|anti-?fraud|\bspam\b",),
)
LIMIT: Final = Phrase(
    "a limit of bookings",
    Kind.REJECTED,
    "lift the limit at the vendor (it may count all bookings of this host's address), then replay",
    (
        r"\blimit(?:s|ed|ation)?\b|\bquota\b|\btoo many\b|\b(?:maximum|max\.?) (?:number|amount|count)\b|\bexceed",
        r"\bno more than\b|\bcan(?:no|')t book more\b|\bmore than \d+ (?:booking|reservation|appointment)",
    ),
)
VALIDATOR: Final = Phrase(
    "a validator of bookings",
    Kind.REJECTED,
    "mend the booking as the words say at the upstream and let it send again, or discard",
    (
        r"\bvalidat(?:or|ion)\b|\bnot valid\b|\binvalid\b|\b(?:is|are) (?:required|wrong|incorrect|mandatory)\b",
        r"\bmust (?:be|have|not|contain)\b|\b(?:is|are) not allowed\b|\bblack-?list",
    ),
)

PHRASES: Final[tuple[Phrase, ...]] = (THROTTLED, CREDENTIALS, CRASHED, LATER, CAPTCHA, LIMIT, VALIDATOR)
"""In the order in which they count: "an error occurred, try again later" may have come after the effect."""


def normal(text: str) -> str:
    """A vendor's words as they are compared: without marks of HTML, quotes of print, capitals and runs of spaces."""
    plain = re.sub(r"<[^<>]*>", " ", html.unescape(text))
    return " ".join(plain.replace("\u2019", "'").replace("\u2018", "'").lower().split())


def find_phrase(normal_text: str, among: Sequence[Phrase] = PHRASES) -> Phrase | None:
    """The first that is in the words; None where none is."""
    return next((phrase for phrase in among if phrase.is_in(normal_text)), None)
