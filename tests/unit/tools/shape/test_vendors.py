from __future__ import annotations

import pytest

from tests.support.checkouts import checkout, taken
from tools.shape.vendors import vendors

VENDORS = {
    "vendors/acme/client.py": "",
    "vendors/doctor/checks.py": "",
    "vendors/registry.py": "",
    "sandbox/acme/app.py": "",
    "sandbox/app.py": "",
}


def places(name: str, text: str, path: str = "cli/x.py") -> list[str]:
    return list(taken(vendors(checkout({**VENDORS, path: text})), name).places)


def test_a_vendor_is_what_has_a_part_of_its_own_in_both_folders() -> None:
    assert checkout(VENDORS).vendors == {"acme"}
    before = {"workers/vendors/acme.py": "", "workers/vendors/http.py": "", "sandbox/acme.py": "", "sandbox/app.py": ""}
    assert checkout(before).vendors == {"acme"}


@pytest.mark.parametrize(
    "text",
    [
        "if account.kind == 'acme': ...",
        "if 'acme' != kind: ...",
        "if kind in ('other', 'acme'): ...",
        "if table['kind'] == 'acme': ...",
        "if table.get('kind') == 'acme': ...",
        "match account.kind:\n    case 'acme': ...",
    ],
)
def test_a_question_for_a_vendors_kind_is_seen(text: str) -> None:
    assert len(places("kind_questions", text)) == 1


def test_another_kind_is_no_vendors() -> None:
    assert places("kind_questions", "if fault.kind == 'http': ...\nif name == 'acme': ...") == []


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(account, AcmeAccount)",
        "isinstance(account, settings.AcmeAccount)",
        "isinstance(account, (Other, AcmeAccount))",
        "isinstance(account, Other | AcmeAccount)",
    ],
)
def test_a_question_for_an_accounts_type_is_seen(text: str) -> None:
    assert places("account_types", text) == [f"cli/x.py:1 {text}"]


def test_a_vendors_name_in_a_text_is_seen_but_not_in_documentation_or_in_a_sentence_for_people() -> None:
    text = (
        '"""How acme does it."""\nname = "acme_per_second=5"\n"""acme\'s."""\nhelp = "Acme is away"\nf"{name} acme"\n'
    )
    assert places("vendor_names", text) == ["cli/x.py:2 'acme_per_second=5'", "cli/x.py:5 ' acme'"]


@pytest.mark.parametrize(
    "text",
    [
        "from bellhop.vendors.acme.client import Client",
        "from bellhop.vendors import acme",
        "def f():\n    import bellhop.vendors.acme.client",
        "from workers.handlers import acme_bookings",
    ],
)
def test_an_import_of_one_vendors_module_is_seen_once(text: str) -> None:
    assert len(places("vendor_imports", text)) == 1


def test_the_modules_that_are_for_every_vendor_may_be_imported() -> None:
    text = "from bellhop.vendors.registry import VENDORS\nfrom bellhop.vendors.doctor import checks\nimport acme\n"
    assert places("vendor_imports", text) == []


@pytest.mark.parametrize("path", ["vendors/x.py", "vendors/acme/x.py", "sandbox/acme/x.py", "sandbox/seed_acme.py"])
def test_a_vendors_own_folders_may_name_it(path: str) -> None:
    text = "from bellhop.vendors import acme\nif kind == 'acme': isinstance(a, AcmeAccount)\n"
    assert [one.number for one in vendors(checkout({**VENDORS, path: text}))] == [0, 0, 0, 0]


def test_the_sandboxs_common_modules_may_not() -> None:
    assert places("vendor_names", "paths = {'acme': 1}", "sandbox/faults.py") == ["sandbox/faults.py:1 'acme'"]
