"""How a key of the settings is declared: once, as an attribute of the frozen object that it becomes.

    port: int = key(whole(0, 65535), "Where the ingress listens.", default=8080)

Of this are made the check at the start (`sections`), `bellhop.example.toml` (`example`) and the JSON Schema for editors
(`editors`). The type checker compares the attribute's type with that of its kind (`fields`).
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final, TypeVar, dataclass_transform, overload

from marshmallow import fields

T = TypeVar("T")
S = TypeVar("S")


class Missing:
    """Where a key has no default."""


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Key:
    """name: as the file has it. required: the settings must have it. secret: no log, error or screen may show it.
    example: what the example shows where there is no default. rank: the example has
    the keys of a lower one first. needs: the key, by its name, without which this one would do nothing."""

    kind: fields.Field[Any]
    doc: str
    name: str
    default: Any
    required: bool
    secret: bool
    example: Any
    rank: int
    needs: str

    @property
    def shown(self) -> Any:
        """The value as a file has it: the example's, else the default."""
        if self.example is not None:
            return self.example
        if self.required:
            return "…"
        return self.kind.serialize("value", {"value": self.default})

    @property
    def line(self) -> str:
        """As the example has it: JSON's texts, numbers and lists are TOML's."""
        return f"{self.name} = {json.dumps(self.shown, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class _Group:
    """A section inside another, whose keys stand there with a prefix. into: what the attribute becomes of it."""

    prefix: str
    of: type[Section]
    into: Callable[[Any], Any]
    default: object


class Section:
    """A table of the file, as the object it becomes. Its docstring says in the example what it is for."""

    __slots__ = ()

    def conflicts(self) -> Iterable[tuple[str, str]]:
        """What is wrong with keys that are each well by themselves: the key, and the problem."""
        return ()

    @classmethod
    def complete(cls, data: dict[str, Any]) -> dict[str, Any]:
        """`data` with the defaults that depend on other keys."""
        return data


def key(
    kind: fields.Field[T],
    doc: str,
    *,
    name: str = "",
    default: T | Missing = MISSING,
    default_factory: Callable[[], T] | None = None,
    left_out: T | Missing = MISSING,
    required: bool | None = None,
    secret: bool = False,
    hidden: bool = False,
    example: object = None,
    rank: int = 0,
    needs: str = "",
) -> T:
    """Declares a key. Without a default it is required.

    name: as the file has it, where that is not the attribute's. default: of the file and of the constructor; left_out:
    of the file alone. required: differs from what the defaults say. hidden: no repr shows it, as of a secret.
    """
    usual = default_factory() if default_factory else left_out if isinstance(default, Missing) else default
    if required is None:
        required = isinstance(usual, Missing)
    declared = Key(kind, inspect.cleandoc(doc), name, usual, required, secret, example, rank, needs)
    made: T = _field(declared, default, default_factory, shown=not (secret or hidden))
    return made


@overload
def group(prefix: str, *, default: T) -> T: ...
@overload
def group(prefix: str, *, of: type[S], into: Callable[[S], T], default_factory: Callable[[], T]) -> T: ...
def group(
    prefix: str,
    *,
    default: Any = MISSING,
    of: Any = None,
    into: Callable[[Any], Any] = lambda made: made,
    default_factory: Callable[[], Any] | None = None,
) -> Any:
    """Declares the keys of another section, with a prefix. Their defaults are those of `default`."""
    return _field(_Group(prefix, of or type(default), into, default), default, default_factory, shown=True)


def _field(declared: Key | _Group, default: Any, factory: Callable[[], Any] | None, *, shown: bool) -> Any:
    metadata = {"bellhop": declared}
    if factory is not None:
        return dataclasses.field(default_factory=factory, repr=shown, metadata=metadata)
    if not isinstance(default, Missing):
        return dataclasses.field(default=default, repr=shown, metadata=metadata)
    return dataclasses.field(repr=shown, metadata=metadata)


@dataclass_transform(frozen_default=True, field_specifiers=(key, group))
def settings_section(cls: type[T]) -> type[T]:
    """A frozen dataclass whose attributes are keys; one without is given by whoever makes it."""
    return dataclass(frozen=True, slots=True)(cls)


def keys_of(cls: type[Section]) -> Mapping[str, Key]:
    """The keys, by attribute (`limits.per_second` inside a group); as the example has them."""
    found: dict[str, Key] = {}
    for attribute, declared in _declarations(cls):
        if isinstance(declared, Key):
            found[attribute] = replace(declared, name=declared.name or attribute)
            continue
        for inner, one in keys_of(declared.of).items():
            usual = getattr(declared.default, inner, one.default)
            needs = one.needs and declared.prefix + one.needs
            found[f"{attribute}.{inner}"] = replace(one, name=declared.prefix + one.name, default=usual, needs=needs)
    return dict(sorted(found.items(), key=lambda item: item[1].rank))


def make(cls: Callable[..., T], data: Mapping[str, Any], **given: Any) -> T:
    """The object of checked values, by attribute; a group's are a mapping of their own."""
    values = dict(data)
    for attribute, declared in _declarations(cls):
        if isinstance(declared, _Group):
            values[attribute] = declared.into(make(declared.of, data[attribute]))
    return cls(**values, **given)


def secret_values(made: Section) -> tuple[str, ...]:
    """What a section holds in its keys that are secret."""
    return tuple(value for name, one in keys_of(type(made)).items() if one.secret for value in texts_of(made, name))


def lone_keys(made: Section, keys: Mapping[str, Key]) -> Iterator[tuple[str, str]]:
    """What a section lacks for keys that would do nothing else: the key, and the problem. keys: by attribute."""
    by_name = {key.name: attribute for attribute, key in keys.items()}
    for attribute, key in keys.items():
        if key.needs and attribute_of(made, attribute) != key.default and not attribute_of(made, by_name[key.needs]):
            yield key.needs, f"is required where {key.name} is set"


def attribute_of(made: Section, attribute: str) -> Any:
    """By the name that `keys_of` has for it."""
    return reduce(getattr, attribute.split("."), made)


def texts_of(made: Section, attribute: str) -> tuple[str, ...]:
    """The texts under an attribute: one, or each of a list."""
    value = attribute_of(made, attribute)
    items = value if isinstance(value, tuple) else (value,)
    return tuple(item for item in items if isinstance(item, str) and item)


def _declarations(cls: Any) -> list[tuple[str, Key | _Group]]:
    return [(one.name, one.metadata["bellhop"]) for one in dataclasses.fields(cls) if "bellhop" in one.metadata]
