"""SevenRooms' attribute labels: what a member's attributes must be called to be synced.

`sevenrooms-setup`: "We syncronise 10 attributes by default (Dietary Restrictions, VIP client type, Client Type, Special
Attention, Profession, Seating Preference, Champagne, Spirits, Water and Wine preferences) … Please make sure that the
attribute labels match those in Sevenrooms (this is case sensitive), otherwise the data will not sync."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_DRINKS: Final = ("Champagne", "Spirits", "Water", "Wine")

# The sentence may mean "Wine" or "Wine preferences". Both pass: a warning about the right one would be a false alarm,
# and teach people not to read them.
LABELS: Final = (
    *("Dietary Restrictions", "VIP client type", "Client Type", "Special Attention", "Profession"),
    *("Seating Preference", *_DRINKS, *(f"{drink} preferences" for drink in _DRINKS)),
)


def label_warnings(attributes: Iterable[str] | Mapping[str, object], known: Sequence[str] = ()) -> tuple[str, ...]:
    """What will not sync of a member's attributes, in the order of their labels. known: the account's custom labels,
    beside the default ones.

    A label is shown as the settings or the vendor spell it; what was given is shown only where it is the same word.
    """
    right = {*LABELS, *known}
    alike = {_fold(label): label for label in (*known, *LABELS)}
    found = []
    for number, label in enumerate(attributes, 1):
        if label in right:
            continue
        meant = alike.get(_fold(label))
        if meant is not None:
            told = f'the label "{label}" is spelled "{meant}" in SevenRooms: as it is it does not sync'
        else:
            told = f"label {number} is no label of this account: it does not sync"
        found.append(f"data.attributes: {told}")
    return tuple(found)


def _fold(label: str) -> str:
    return " ".join(label.split()).casefold()
