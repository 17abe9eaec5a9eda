"""Keeping secrets out of what is stored, logged or shown."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Mapping
from copy import copy
from functools import cache, lru_cache
from html.entities import html5
from typing import Any, Final

MASK: Final = "***"
# Names that are secret by their meaning. A content hash is none, so `hash` does not stand for every name that ends so.
_NAMES: Final = (
    r"auth_id|company|user|pass|dsn|sign|(?:booking|batch)?_?hash|[\w-]{0,40}?(?:secret|api)_?key"
    r"|[\w-]{0,40}?(?:token|password|secret|signature|authorization)"
)
_NAME: Final = re.compile(rf"(?i)(?:{_NAMES})")
_QUERY: Final = re.compile(rf"(?i)(?<![\w-])({_NAMES})=[^&\s\"']*")
# The last quote may be missing: answers are cut off before they are told.
_MEMBER: Final = re.compile(rf"""(?i)(["'])({_NAMES})\1(\s*:\s*)(["'])(?:\\.|(?!\4)[^\\])*(?:\4|\\?\Z)""")
_PLAIN: Final = re.compile(r"[^\W\d_]+|\d+")
# As errors name what was refused: `user "ada"`, `Login failed for company: acme`, `password is wintersun`.
_BEFORE: Final = (
    r"((?i:\b(?:user(?:[ _-]?name)?|login|company|auth[ _-]?id|pass(?:word|wd|phrase)?|secret|token|key))"
    r"(?: +(?:is|was|for|of|name|company|user))*[\s:=]{0,3}[\"'`(\[]{0,2})"
)
_SHORT: Final = {" ": (r"\+",), "\n": ("n",), "\r": ("r",), "\t": ("t",), "\b": ("b",), "\f": ("f",)}
"""How a form writes a space, and JSON some others after its backslash."""

_LEAST: Final = 4
_MOST_LEARNT: Final = 256
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_URL_PASSWORD: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/?#\s]+@")


class _Learnt:
    """The secrets that this process came to know as it ran: vendors' session tokens, and those of settings that were
    read anew. The newest of them; plain words, which are masked where they stand as a secret alone, apart."""

    def __init__(self) -> None:
        self.secrets: dict[str, None] = {}
        self._plain: dict[str, None] = {}
        self._lock = threading.Lock()
        self.pattern: re.Pattern[str] | None = None
        self.placed: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        if secret in self.secrets or len(secret) < _LEAST:
            return
        with self._lock:
            kept = [*self.secrets, secret][-_MOST_LEARNT:]
            self.secrets = dict.fromkeys(kept)
            self.pattern = _any_of(kept)

    def add_of_settings(self, secrets: Iterable[str], names: Collection[str]) -> None:
        """names: our own, as `Redactor` has them."""
        wanted = [secret for secret in secrets if len(secret) >= _LEAST]
        plain = [secret for secret in wanted if _is_plain(secret, names)]
        with self._lock:
            self._plain = dict.fromkeys([*self._plain, *plain][-_MOST_LEARNT:])
            self.placed = _place_pattern(self._plain)
        for secret in set(wanted) - set(plain):
            self.add(secret)


_learnt: Final = _Learnt()

learn_secret: Final = _learnt.add
"""Every Redactor of this process masks it from now on, like those of the settings."""
learn_settings: Final = _learnt.add_of_settings
"""Likewise the secrets of settings that were read anew."""


class Redactor:
    """Masks the given secret values wherever they stand, and the values of names that are secret by their meaning.

    A secret of fewer than four characters is not looked for: it would mask half of everything.

    names: our own, of accounts, routes and the like; given where the texts are ours, and not what others wrote. A
    secret that is one of these, or a plain word or number, is then masked by where it stands alone: after a word for
    such a secret (user, company, password …). By its text it would mask our own words: a vendor's user `bellhop` the
    names of our queues.
    """

    def __init__(self, secrets: Iterable[str] = (), names: Collection[str] | None = None) -> None:
        looked_for = {secret for secret in secrets if len(secret) >= _LEAST}
        self._looked_for = looked_for
        self._more: re.Pattern[str] | None = None
        plain = set() if names is None else {one for one in looked_for if _is_plain(one, names)}
        self._values = _any_of(looked_for - plain)
        self._placed = _place_pattern(plain)

    def also(self, secrets: Collection[str]) -> Redactor:
        """One that masks these, too: what was sent with a call, say, for its answer."""
        made = copy(self)
        made._looked_for = self._looked_for | set(secrets)
        made._more = _any_of(secrets)
        return made

    def cut_text(self, text: str) -> str:
        """`text`, which may have been cut off anywhere, without secrets, and without a half of one at its end."""
        for secret in (*self._looked_for, *_learnt.secrets):
            for length in range(min(len(secret) - 1, len(text)), _LEAST - 1, -1):
                if text.endswith(secret[:length]):
                    text = text[:-length] + MASK
                    break
        return self.text(text)

    def text(self, text: str) -> str:
        """`text` without secrets."""
        # The values first: what the patterns cut out of a value would leave the rest of it unknown.
        text = self._values.sub(MASK, text) if self._values else text
        for known in (self._more, _learnt.pattern):
            text = known.sub(MASK, text) if known else text
        for placed in (self._placed, _learnt.placed):
            text = placed.sub(rf"\1{MASK}", text) if placed else text
        # Each of these has a character that most texts lack; a search for it is twenty times as fast as the pattern.
        text = _QUERY.sub(rf"\1={MASK}", text) if "=" in text else text
        text = _MEMBER.sub(rf"\1\2\1\3\4{MASK}\4", text) if ":" in text else text
        text = _BEARER.sub(rf"\1 {MASK}", text)
        return _URL_PASSWORD.sub(rf"\1{MASK}@", text) if "@" in text else text

    def value(self, value: Any) -> Any:
        """A JSON value without secrets: of mappings, the values of secret names too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                self.text(str(k)): MASK if v and _is_secret_name(str(k)) else self.value(v) for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


@lru_cache(1024)
def _is_secret_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _is_plain(secret: str, names: Collection[str]) -> bool:
    return secret in names or _PLAIN.fullmatch(secret) is not None


def _place_pattern(plain: Collection[str]) -> re.Pattern[str] | None:
    return _any_of(plain, r"(?<![\w.@/-])", r"(?![\w@/-]|\.\w)", _BEFORE)


def _any_of(secrets: Collection[str], start: str = "", end: str = "", before: str = "") -> re.Pattern[str] | None:
    """Any of the secrets in any form, between these patterns; None for no secrets."""
    ordered = sorted(secrets, key=len, reverse=True)
    return re.compile(f"{before}{start}(?:{'|'.join(map(_secret_pattern, ordered))}){end}") if ordered else None


def _secret_pattern(secret: str) -> str:
    """The pattern of a secret, however it is written: as it is, and in URLs, HTML and JSON, also escaped twice."""
    return "".join(map(_character_pattern, secret))


@cache
def _character_pattern(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character  # nobody escapes these
    code, own = ord(character), re.escape(character)
    names = [name.removesuffix(";") for name, meant in html5.items() if meant == character]
    entity = "|".join([*map(re.escape, names), f"#0*{code}", f"(?i:#x0*{code:x})"])
    percent = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass")
    unicode = r"\\+".join(f"(?i:u{units[at : at + 2].hex()})" for at in range(0, len(units), 2))
    forms = [own, f"&(?:amp;)*(?:{entity});", percent, unicode, *_SHORT.get(character, ())]
    return rf"\\*(?:{'|'.join(forms)})"
