"""The documentation as a site, a folder for each version: `make site`.

The pages are the repository's own Markdown, as GitHub shows it. `docs/zensical.toml` says their order; what only exists
for the site is made here: the first page of the decisions, links that fit the site, and the list of its versions
(`versions.json`, in the form of mike, by which the theme offers them).
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
NAMED: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "bench/README.md": "bench.md",
    "deploy/README.md": "deploy.md",
    "deploy/kubernetes/README.md": "kubernetes.md",
    "findings/README.md": "findings.md",
    "docs/decisions": "decisions/index.md",
}
"""Pages by their place in the repository; those of docs/ keep their names."""
COPIED: Final = (".png", ".json")
LATEST: Final = "latest"
_FENCED: Final = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"(?<=\]\()([^)#\s]+)")
_HEADING: Final = re.compile(r"^# (.+)$", re.MULTILINE)
_LIST: Final = re.compile(r"^(?![*-] |\d+\. |[\s|#>])(.+\n)(?=[*-] |1\. )", re.MULTILINE)
_ROW: Final = re.compile(r"^\|.+", re.MULTILINE)


def sources(root: Path = ROOT) -> Iterator[PurePosixPath]:
    """Each file that becomes a page or is shown on one, from the root."""
    docs = sorted(path for path in (root / "docs").rglob("*") if path.suffix in {".md", *COPIED})
    for path in (*(root / name for name in NAMED), *docs):
        if path.is_file():
            yield PurePosixPath(path.relative_to(root).as_posix())


def page(source: PurePosixPath) -> str | None:
    """Where a file of the repository, or the README of a folder, is on the site; None where it is not."""
    for name in (str(source), str(source / "README.md")):
        if name in NAMED:
            return NAMED[name]
    is_shown = source.parts[0] == "docs" and source.suffix in {".md", *COPIED} and "samples" not in source.parts
    return str(source.relative_to("docs")) if is_shown else None


def fit(text: str, source: PurePosixPath, repository: str, root: Path = ROOT) -> str:
    """A page's text as the site needs it. Raises FileNotFoundError for a link to a file that is not there.

    Links lead to the page on the site, or to the repository where what they name is no page. What GitHub and Python's
    Markdown read differently is written for the second: a list behind a paragraph, a | in a table's `…`.
    """
    here = PurePosixPath(page(source) or "").parent

    def led(found: re.Match[str]) -> str:
        link = found[1]
        if "://" in link or link.startswith("mailto:"):
            return link
        meant = PurePosixPath(normpath(source.parent / link))
        if not (root / meant).exists():
            raise FileNotFoundError(f"{source}: leads to {meant}, which is not there")
        if there := page(meant):
            return relpath(there, here)
        kind = "tree" if (root / meant).is_dir() else "blob"
        return f"{repository}/{kind}/main/{meant}"

    def prose(part: str) -> str:
        part = _ROW.sub(lambda row: row[0].replace(r"\|", "|"), _LINK.sub(led, part))
        return _LIST.sub(r"\1\n", part)

    return "".join(part if number % 2 else prose(part) for number, part in enumerate(_FENCED.split(text)))


def decisions(root: Path = ROOT) -> list[tuple[str, str]]:
    """(title, file) of each decision, in order."""
    files = sorted((root / "docs" / "decisions").glob("*.md"))
    return [((_HEADING.search(file.read_text()) or [file.name, file.name])[1], file.name) for file in files]


def config(version: str, root: Path = ROOT) -> dict[str, Any]:
    """What zensical is told: `docs/zensical.toml`, of this version and with every decision."""
    project: dict[str, Any] = tomllib.loads((root / "docs" / "zensical.toml").read_text())["project"]
    project["site_url"] += f"{version}/"
    listed = [{title: f"decisions/{name}"} for title, name in decisions(root)]
    project["nav"].append({"Decisions": ["decisions/index.md", *listed]})
    return project


def lay_out(folder: Path, version: str, root: Path = ROOT) -> None:
    """Write into an empty folder what zensical reads."""
    settings = config(version, root)
    repository = tomllib.loads((root / "pyproject.toml").read_text())["project"]["urls"]["Source"]
    (folder / "mkdocs.yml").write_text(json.dumps(settings))  # JSON is YAML, and Python writes no TOML
    for source in sources(root):
        place = folder / "docs" / str(page(source))
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            place.write_text(fit((root / source).read_text(), source, repository, root))
        else:
            shutil.copy(root / source, place)
    rows = "".join(f"- [{title}]({name})\n" for title, name in decisions(root))
    (folder / "docs" / "decisions" / "index.md").write_text(f"# Decisions\n\n{rows}")


def enter(versions: list[dict[str, Any]], version: str, is_latest: bool) -> list[dict[str, Any]]:
    """The list of versions with this one first; `latest` is the name of one at most."""
    others = [one for one in versions if one["version"] != version]
    was_latest = any(one["version"] == version and LATEST in one["aliases"] for one in versions)
    aliases = [LATEST] if is_latest or was_latest else []
    if aliases:
        others = [{**one, "aliases": []} for one in others]
    return [{"version": version, "title": version, "aliases": aliases}, *others]


def publish(built: Path, target: Path, version: str, is_latest: bool) -> None:
    """Put a built site beside the versions that are there already, and lead the front door to the latest."""
    listed = target / "versions.json"
    known = json.loads(listed.read_text()) if listed.exists() else []
    versions = enter(known, version, is_latest)
    names = [version, *(versions[0]["aliases"])]
    for name in names:
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(built, target / name)
    listed.write_text(json.dumps(versions, indent=2) + "\n")
    front = LATEST if any(LATEST in one["aliases"] for one in versions) else version
    (target / "index.html").write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={front}/">\n')
    (target / ".nojekyll").touch()


def main() -> int:
    parser = argparse.ArgumentParser(description="The documentation as a site.")
    parser.add_argument("--into", type=Path, default=ROOT / ".site", help="where the versions are")
    parser.add_argument("--version", default="dev", help="as which it is built")
    parser.add_argument("--latest", action="store_true", help="and what the front door leads to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            lay_out(folder, given.version)
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
            return 1
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(folder / "mkdocs.yml")]
        done = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(done.stderr.rstrip().rpartition("\n")[2], file=sys.stderr)  # the rest is zensical's own way here
            return 1
        given.into.mkdir(parents=True, exist_ok=True)
        publish(folder / "site", given.into, given.version, given.latest)
    print(f"{given.into / given.version / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
