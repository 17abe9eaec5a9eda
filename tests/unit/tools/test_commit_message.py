from __future__ import annotations

from pathlib import Path

import pytest

from tools.commit_message import LONGEST, main, problems

FIT = "Retries are planned before the booking's start"


@pytest.mark.parametrize(
    "message",
    [
        FIT,
        f"{FIT}\n",
        f"{FIT}\n\nThe last one came after it, and booked nobody.\n",
        "x" * LONGEST,
        "é" * LONGEST,
        "The ratio is 3:1 where it was 2:1",
        "A held route says so: nothing comes of it",
    ],
)
def test_a_message_of_the_house_is_fit(message: str) -> None:
    assert problems(message) == []


@pytest.mark.parametrize("message", ["", "\n\n", "   \n", "# Please enter the commit message\n#\n"])
def test_an_empty_message_is_refused(message: str) -> None:
    assert problems(message) == ["the message is empty"]


def test_a_first_line_of_one_character_too_many_is_refused_with_its_length() -> None:
    assert problems("x" * (LONGEST + 1)) == [f"the first line has {LONGEST + 1} characters, {LONGEST} are the most"]


@pytest.mark.parametrize("prefix", ["feat:", "Fix:", "fix(ledger):", "chore!:", "feat(api)!:", "Docs:", "ops/cli:"])
def test_a_prefix_is_refused(prefix: str) -> None:
    assert problems(f"{prefix} retries are planned") == [
        "the first line begins with a prefix: say what is different now"
    ]


def test_a_final_period_is_refused() -> None:
    assert problems(f"{FIT}.") == ["the first line ends with a period"]


def test_a_body_without_an_empty_line_before_it_is_refused() -> None:
    assert problems(f"{FIT}\nThe last one came after it.") == ["the second line is not empty"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(problems(f"feat: {'x' * LONGEST}.\nmore")) == 4


@pytest.mark.parametrize(
    "first",
    [
        f"Merge branch '{'x' * LONGEST}' into main",
        "Merge next: people, tokens.",
        f'Revert "{"x" * LONGEST}"',
        'Reapply "Retries are planned."',
        f"fixup! {'x' * LONGEST}",
        "squash! Retries are planned.",
        "amend! Retries are planned.",
    ],
)
def test_what_git_writes_itself_is_let_through(first: str) -> None:
    assert problems(f"{first}\nmore") == []


@pytest.mark.parametrize("first", ["Merged the two ledgers.", "Reverts the ladder.", "fixup the ladder."])
def test_what_only_looks_as_if_git_wrote_it_is_not_let_through(first: str) -> None:
    assert problems(first) == ["the first line ends with a period"]


def test_gits_comments_and_the_diff_below_its_scissors_are_not_the_message() -> None:
    diff = "# ------------------------ >8 ------------------------\ndiff --git a/x b/x\n+feat: a line.\n"
    assert problems(f"\n# On branch main\n{FIT}\n# Changes:\n\nWhy.\n{diff}") == []
    assert problems(f"# On branch main\n\n{diff}") == ["the message is empty"]


def test_the_exit_code_and_the_reasons_are_those_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "COMMIT_EDITMSG"
    file.write_text(f"{FIT}\n", encoding="utf-8")
    assert main([str(file)]) == 0
    assert capsys.readouterr().err == ""
    file.write_text("fix: it.\n", encoding="utf-8")
    assert main([str(file)]) == 1
    assert capsys.readouterr().err == (
        "commit message: the first line begins with a prefix: say what is different now\n"
        "commit message: the first line ends with a period\n"
    )
    assert main([]) == 2
