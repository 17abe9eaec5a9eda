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


_NOT_OF_BOOKINGS: Final = r"^(?!.*\b(?:book(?:ing)?|reservation|appointment|seat|place|guest)s?\b)"
_NOT_OF_GUESTS: Final = r"^(?!.*\b(?:member|client|customer|guest)(?:'?s)?\b)"
_BAD: Final = (
    r"(?:expired?|lapsed|(?:has|have|was|is|been) (?:ended|over|closed|terminated|destroyed|deleted|removed|reset|lost)"
    r"|ended|terminated|closed|over|dead|malformed|corrupt(?:ed)?|withdrawn|unusable|unsuccessful|timed? ?out|invalid"
    r"|wrong|incorrect|bad|unknown|missing|required|needed|revoked|denied|rejected|refused|mismatch|disabled|inactive"
    r"|deactivated|locked|blocked|suspended|failed|failure|empty|outdated|stale|forbidden|too old|unrecogni[sz]ed"
    r"|(?:is |was |are |were |be )?(?:not|no longer) (?:valid|active|found|recogni[sz]ed|accepted|correct|successful"
    r"|known|authori[sz]ed|provided|supplied|given|set|present|enabled|activated|usable|permitted|allowed"
    r"|white ?listed)"
    r"|(?:does|do|did) not (?:exist|match|belong|work|fit)|(?:does|do|did)n't (?:exist|match|belong|work|fit)"
    r"|(?:can ?not|can't) be (?:used|verified|found|accepted|read)|lifetime)"
)
_KEY: Final = (
    r"(?:tokens?|jwt|api ?keys?|access ?keys?|auth(?: ?ids?)?|credentials?|passwords?|user ?names?"
    r"|(?:re ?)?log ?ins?|sign ?ins?|logon|authenti[a-z]+|authori[sz]ation(?: ids?)?|integration(?: account)?"
    r"|api access|subscription|licen[cs]e|ip(?: address)?)"
)
_NOT_OF_CLASSES: Final = r"^(?!.*\b(?:selected|class(?:es)?|course|yoga|training|group|spa|treatment|full|booked)\b)"
"""What is booked may be called a session, too."""
_ACCOUNT: Final = r"(?:user|company|account|host|region|tenant|api)"

THROTTLED: Final = Phrase(
    "throttling",
    Kind.THROTTLED,
    "nothing: it is tried again more slowly",
    (
        r"\btoo (?:many|frequent) (?:api |http |concurrent |simultaneous |parallel )?(?:requests?|calls?|connections?"
        r"|attempts?|queries)\b",
        r"\b(?:rate|api|requests?|calls?|query|queries|traffic|bandwidth)(?: rate| usage)? (?:limit|quota)"
        r"|\brate limited\b",
        r"\b(?:limit|quota) (?:of|for|on) (?:\d+ )?(?:the )?(?:api|requests?|calls?|queries)\b",
        r"\b(?:requests?|calls?|queries) per (?:second|minute|hour|day)\b",
        rf"{_NOT_OF_BOOKINGS}.*\b(?:requests?|calls?|queries)\b(?: \S+){{0,4}}? (?:too|exceed\w*|reached|exhausted)\b",
        r"\bexceed\w* (?:the |your )?(?:\w+ ){0,3}(?:requests?|calls?|queries)\b",
        r"\b(?:excessive|high) (?:\w+ )?(?:usage|traffic|requests?|calls?|load)\b",
        rf"{_NOT_OF_BOOKINGS}.*\btoo (?:fast|quickly|often)$",
        rf"{_NOT_OF_BOOKINGS}.*\bquota\b",
        r"\bthrottl|\bslow(?:er)? ?down\b|\bflood(?:ing)?\b|^(?:http )?429\b|\(429\)",
    ),
)
CAPTCHA: Final = Phrase(
    "a captcha or a check for robots",
    Kind.REJECTED,
    "have this host's address excepted at the vendor, or book it by hand; then replay or discard",
    (r"captcha|\brobots?\b|\b(?:not |are )(?:a )?human\b|anti ?fraud|\bspam\b|\bbots?\b",),
)
CREDENTIALS: Final = Phrase(
    "credentials, a token or a permission",
    Kind.AUTH,
    "check the account's credentials and permissions (bellhop doctor)",
    (
        rf"\b{_KEY}\b(?: \S+){{0,4}}? {_BAD}\b",
        rf"\b(?:{_BAD}|no) (?:\S+ ){{0,3}}?{_KEY}\b",
        rf"{_NOT_OF_CLASSES}.*(?:\bsession\b(?: \S+){{0,4}}? {_BAD}|\b{_BAD} (?:\S+ ){{0,3}}?session)\b",
        r"\b(?:new|valid|another|fresh) (?:\w+ )?(?:token|session|api ?key|credentials|password)\b",
        r"\bun ?authori[sz]ed\b|\bnot authori[sz]ed\b|\b(?:un|not) ?authenticated\b|\bnot (?:logged|signed) ?in\b",
        r"^(?:invalid|wrong|bad|incorrect) pass\b|^pass (?:is )?(?:invalid|wrong|bad|incorrect)\b",
        r"\b(?:be|been|was|were) (?:logged|signed) ?(?:in|out|off)\b",
        r"\b(?:must|have to|need to) (?:log|sign) ?(?:in|on)\b",
        r"\b(?:could not|can ?not|can't|unable to) (?:be )?(?:log|sign|authenticat|verif)",
        r"\b(?:access|permissions?) (?:\S+ ){0,4}?(?:denied|forbidden|disabled|not allowed|not granted|refused)\b",
        rf"{_NOT_OF_GUESTS}.*\b(?:no|not|don't|doesn't|insufficient|lacks?|without|missing) (?:\S+ ){{0,3}}?"
        r"(?:access|permissions?|rights|privileges)\b",
        r"^(?:http )?(?:40[13] )?forbidden\b|^(?:http )?401\b|\(40[13]\)",
        r"\b(?:log|sign) ?in (?:again|anew|first)\b|\bplease (?:re ?)?(?:log ?in|sign ?in|authenticate)\b",
        # what the query or the headers name: not a guest
        rf"{_NOT_OF_GUESTS}.*\b(?:invalid|wrong|incorrect|unknown|bad|inactive|disabled|locked|no such) {_ACCOUNT}\b",
        rf"{_NOT_OF_GUESTS}.*\b{_ACCOUNT}\b(?: \S+){{0,3}}? (?:not found|does not exist|doesn't exist|unknown|invalid"
        r"|disabled|locked|blocked|inactive|suspended|deactivated|mismatch|expired"
        r"|not (?:active|valid|enabled|activated|recogni[sz]ed))\b",
    ),
)
CRASHED: Final = Phrase(
    "a crash, or a time-out of what stands behind",
    Kind.UNKNOWN,
    "look whether the booking is there",
    (
        r"\btime ?outs?\b|\btimed out\b|\bdeadline exceeded\b|\btook too long\b|\bno (?:response|answer|reply) from\b",
        r"\b(?:internal|server|system|unexpected|unhandled|unknown|fatal|general|runtime|gateway|upstream|network|parse"
        r"|processing|application|backend|critical|conversion|communication|connection|protocol|i/?o) error\b",
        r"\berrors? (?:has |have )?occurr?ed\b|\bsomething went wrong\b|\bcrashed\b|\boops\b",
        r"\b(?:error|problem|failure) (?:while |when |during |in |on )?(?:the )?(?:sav|process|creat|updat|insert|send"
        r"|pars|read|retriev|load|writ|call|connect|execut|convert|serializ|deserializ|commit|post|handl)\w*\b",
        r"\b(?:failed|unable|could not|couldn't|cannot|can't) (?:to )?(?:save|process|complete|update|insert|send|parse"
        r"|read|retrieve|load|write|call|connect|execute|serialize|deserialize|commit|post|handle|access|resolve|reach)\b",
        # .NET: the names of types, parameters and files, and the texts of its commonest exceptions
        r"(?<!the )exception\b|\b(?:system|microsoft|newtonsoft)\.[a-z]|\bstack ?trace\b|\(parameter '",
        r"\bat [\w.<>`]+\([^)]*\)|\.(?:cs|php|js|py|java)(?:\(|:line|:\d| on line )|\b0x[0-9a-f]{4,}\b",
        r"object reference|instance of an object|value cannot be null|nullable object|sequence contains|null reference",
        r"index (?:was )?out(?:side)? |outside the bounds|argument was out of|not present in the dictionary",
        r"correct format|not recogni[sz]ed as a valid|unable to cast|cast is not valid|(?:could not|cannot) convert",
        r"conversion (?:failed|of an?)|error converting|deseriali[sz]|while parsing",
        r"unexpected (?:character|token|end of)",
        r"(?:task|operation|request|thread) was (?:being )?(?:cancell?ed|aborted)|operation is not valid due to",
        r"connection (?:was |is |has been |attempt )?(?:closed|reset|refused|aborted|broken|lost|failed)",
        r"forcibly closed|transport connection|could not be resolved|no connection could|actively refused",
        r"protocol violation|no such host",
        r"remote (?:server|name|host) (?:returned|could)|response status code|bad gateway|gateway time",
        r"same key has already|divide by zero|\b\w+ overflow\b|collection was modified|disposed object",
        r"out of memory|stack empty|parameter (?:count|name:)|would be truncated|ssl connection|too small for an? ",
        r"requires a target|method not found:|invalid (?:json|xml|uri|object name|column name|cast|operation\.)",
        r"data at the root|padding is invalid|data ?reader|unsynchronized|contain a definition|length cannot be less",
        r"not enough (?:space|memory)|insufficient (?:system|memory|disk)|used by another process|process cannot",
        r"deadlock|lock wait|rolled back|sqlstate|\bsql\b|mysql|\bdatabase\b|primary key|duplicate (?:key|entry)",
        r"foreign key|(?:insert|update|delete) statement|value null|\bassembly\b",
        # PHP and others
        r"violat\w+ (?:of|the)|constraint violat|undefined (?:index|variable|offset|method|property|function|array)",
        r"member function|non object|null (?:pointer|reference)|\bof (?:null|undefined)\b|traceback|segmentation fault",
    ),
)
LATER: Final = Phrase(
    "not now",
    Kind.TRANSIENT,
    "nothing: it is tried again",
    (
        r"\b(?:try|retry|come back|call back)(?: it)?(?: again)? (?:later|soon|shortly|after|in (?:a|an|some|\d+)\b)"
        r"|\bat a later time\b|\bplease (?:retry|wait)\b|\bwait and (?:re)?try\b",
        r"\btemporar(?:y|ily)\b|\bmaintenance\b|^(?:the )?service (?:is )?unavailable\b|^(?:http )?503\b|\(503\)"
        r"|\bcurrently unavailable\b|\boverloaded\b|\btoo busy\b",
        r"\b(?:server|system|api|platform)s? (?:is |are )?(?:\w+ )?(?:busy|overloaded|down|offline|unavailable"
        r"|not available)\b|\bis (?:down|offline)\b",
    ),
)
LIMIT: Final = Phrase(
    "a limit of bookings",
    Kind.REJECTED,
    "lift the limit at the vendor (it may count all bookings of this host's address), then replay",
    (
        r"\blimit(?:s|ed|ation)?\b|\btoo many\b|\bmax(?:imum|\.)?\b|\bexceed|\bquota\b|\bonly \d+\b|\bonly once\b",
        r"\bno more than\b|\bcan(?:no|')t book more\b|\bmore than \d+ (?:booking|reservation|appointment)",
    ),
)
VALIDATOR: Final = Phrase(
    "a validator of bookings",
    Kind.REJECTED,
    "mend the booking as the words say at the upstream and let it send again, or discard",
    (
        r"\bvalidat(?:or|ion)\b|\bnot valid\b|\binvalid\b|\b(?:is|are) (?:required|wrong|incorrect|mandatory)\b",
        r"\bmust (?:be|have|not|contain)\b|\b(?:is|are) not allowed\b|\bblack ?list|\ba valid\b|\bdeposit\b",
        r"\b(?:requires?|required|may not book|not (?:permitted|accept(?:ed)?|created|booked))\b|\bneed an?\b",
        r"\b(?:member(?:ship)?|client|customer|guest(?: type)?|package|pass|gift card|promotion|promo(?: ?code)?"
        r"|service|session|location|facility|technician|provider|employee|venue|room|date|time|offer|price|slot"
        r"|product|balance|payment|credits?)(?:'?s)? (?:\S+ ){0,3}?(?:expired|blocked|suspended|not found|no longer"
        r"|not active|inactive|unknown|used up|changed|due|missing|differs?)\b",
        r"\bdeclined\b|\bcan(?:not|'t) (?:be )?(?:book|reserv|attend)",
        r"\bnot enough\b|\bplease (?:select|choose|enter|provide|add)\b|\b(?:in)?eligible\b|\brestrict|\bunpaid\b",
        r"\b(?:not|never) (?:allowed|qualified|met|signed|certified)\b|\b(?:consent|waiver|agreement|policy)\b",
    ),
)
SLOT: Final = Phrase(
    "what is not free, or not offered then",
    Kind.REJECTED,
    "agree another time with the guest",
    (
        r"\b(?:not|no longer) (?:available|offered|free|bookable|open)\b|\bunavailable\b|\bno (?:availability|vacanc)",
        r"\balready (?:\w+ )?(?:booked|reserved|taken|exists|a booking|an appointment)\b|\balready (?:have|has) a"
        r"|\b(?:fully|double) booked\b|\bis (?:full|taken|booked|reserved|closed)\b|\bsold out\b",
        r"\bin the past\b|\btoo (?:late|early|far|soon|short|long|close)\b|\b(?:conflict|overlap)s?\b",
        r"\bblackout|\boccupied\b|\b(?:at|full|over) capacity\b|\bno (?:technician|therapist|room|facility)",
        r"\bminimum notice\b|\bday off\b|\bon (?:vacation|holiday|leave)\b|\b(?:does not|doesn't) (?:work|offer)\b",
        r"\boutside (?:of )?(?:\w+ )?(?:opening|working|business) hours\b|\bduplicate (?:booking|reservation|appoint)",
    ),
)

PHRASES: Final[tuple[Phrase, ...]] = (
    *(THROTTLED, CAPTCHA, CREDENTIALS, CRASHED, LATER),
    *(LIMIT, VALIDATOR, SLOT),
)
"""In the order in which they count: "an error occurred, try again later" may have come after the effect."""


_BARE: Final = re.compile(
    r"(?:an? )?(?:errors?|fail|failed|failure|false|unsuccessful|unknown|none|null|n/a|nothing|no(?: reason given)?"
    r"|oops|\d+|[-.:!\s])*"
)


def is_bare(text: str) -> bool:
    """Whether words say no more than no: such may also stand for a failure in the midst."""
    return _BARE.fullmatch(normal(text)) is not None


def is_alike(one: str, other: str) -> bool:
    """Whether two refusals say the same, numbers aside: of a time, or of the request."""
    return not is_bare(one) and re.sub(r"\d+", "", normal(one)) == re.sub(r"\d+", "", normal(other))


def normal(text: str) -> str:
    """A vendor's words as they are compared: without marks of HTML, quotes of print, capitals, runs of spaces and what
    joins words ("token_expired", "TokenExpired", "log-in")."""
    plain = re.sub(r"<[^<>]*>", " ", html.unescape(text)).strip()
    if not re.search(r"\s", plain):
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    plain = " ".join(plain.replace("\u2019", "'").replace("\u2018", "'").lower().split())
    return re.sub(r"(?<=[a-z])[-_]+(?=[a-z])", " ", plain)


def find_phrase(normal_text: str, among: Sequence[Phrase] = PHRASES) -> Phrase | None:
    """The first that is in the words; None where none is."""
    return next((phrase for phrase in among if phrase.is_in(normal_text)), None)
