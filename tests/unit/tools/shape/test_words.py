from __future__ import annotations

import pytest

from tests.support.checkouts import checkout, taken
from tools.shape.words import is_participle, words


def test_a_public_class_of_two_modules_is_a_double_with_its_places() -> None:
    found = words(checkout({"a/x.py": "class Row: ...", "b/y.py": "\nclass Row: ...\nclass Other: ..."}))
    assert taken(found, "double_classes").places == ["Row x2  a/x.py:1, b/y.py:2"]
    assert taken(found, "double_classes").says.endswith("of 2")
    assert taken(found, "double_functions").places == []


def test_a_function_of_two_modules_is_a_double_also_when_it_stands_in_an_if_or_a_try() -> None:
    files = {
        "a/x.py": "if True:\n    def read(): ...",
        "b/y.py": "try:\n    import z\nexcept ImportError:\n    async def read(): ...",
        "c/z.py": "def read(): ...",
    }
    assert taken(words(checkout(files)), "double_functions").places == ["read x3  a/x.py:2, b/y.py:4, c/z.py:1"]


@pytest.mark.parametrize(
    "text",
    [
        "def _read(): ...",
        "class C:\n    def read(self): ...",
        "def outer():\n    def read(): ...",
    ],
)
def test_what_is_private_or_inside_something_is_no_double(text: str) -> None:
    assert taken(words(checkout({"a/x.py": "def read(): ...", "b/y.py": text})), "double_functions").number == 0


def test_overloads_are_one_function_and_a_migrations_names_are_alembics() -> None:
    files = {
        "a/x.py": "def read(): ...\ndef read(): ...\ndef upgrade(): ...",
        "a/y.py": "def upgrade(): ...",
    }
    assert taken(words(checkout(files)), "double_functions").number == 0


def test_what_a_decorator_registers_is_a_page_or_a_command_and_no_double() -> None:
    files = {
        "cli/jobs.py": "@jobs.command('list')\n@pass_app\ndef index(): ...",
        "console/jobs.py": "@blueprint.get('/jobs')\ndef index(): ...",
        "ledger/jobs.py": "@cache\ndef index(): ...",
    }
    assert taken(words(checkout(files)), "double_functions").number == 0
    files["ledger/people.py"] = "@lru_cache(1)\ndef index(a): ..."
    assert taken(words(checkout(files)), "double_functions").places == [
        "index x2  ledger/jobs.py:2, ledger/people.py:2"
    ]


def test_the_same_part_of_two_vendors_is_no_double_but_another_part_is() -> None:
    files = {"sandbox/red/x.py": "", "sandbox/blue/x.py": ""}
    files |= {"vendors/red/call.py": "def methods(a): ...", "vendors/blue/call.py": "def methods(b, c): ..."}
    assert taken(words(checkout(files)), "double_functions").number == 0
    files["vendors/blue/doctor.py"] = "def methods(a): ..."
    assert taken(words(checkout(files)), "double_functions").number == 1


def test_functions_of_one_folder_are_an_interface_only_where_they_take_and_return_the_same() -> None:
    files = {"api/x.py": "def section(parts: P) -> S: ...", "api/y.py": "def section(parts: P) -> S: ..."}
    assert taken(words(checkout(files)), "double_functions").number == 0
    assert (
        taken(words(checkout({**files, "api/z.py": "def section(parts: P) -> T: ..."})), "double_functions").number == 1
    )
    assert taken(words(checkout({**files, "b/x.py": files["api/x.py"]})), "double_functions").number == 1


@pytest.mark.parametrize("name", ["told", "_told", "listed", "hidden", "_Known", "unseen", "given", "held", "renewed"])
def test_a_participle_is_known_by_its_end_or_by_heart(name: str) -> None:
    assert is_participle(name)


@pytest.mark.parametrize("name", ["need", "open", "token", "seed", "read", "cut", "set", "told_ends", "is_held", "x"])
def test_a_verb_a_noun_and_a_name_of_two_words_are_no_participle(name: str) -> None:
    assert not is_participle(name)


def test_functions_and_methods_are_named_by_participles_but_properties_may_be() -> None:
    text = (
        "def told(): ...\nclass C:\n    def _asked(self): ...\n    @property\n    def closed(self): ...\n"
        "    @cached_property\n    def hidden(self): ...\n    def close(self): ...\n"
    )
    assert taken(words(checkout({"a/x.py": text})), "participles").places == ["a/x.py:1 told", "a/x.py:3 _asked"]


def test_every_assert_of_the_source_is_seen_and_none_of_a_test() -> None:
    files = {"a/x.py": "def f(y):\n    assert y is not None  # noqa: S101\n", "tests/z.py": "assert True\n"}
    assert taken(words(checkout(files)), "asserts").places == ["a/x.py:2 y is not None"]
