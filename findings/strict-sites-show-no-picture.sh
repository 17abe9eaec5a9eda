#!/usr/bin/env bash
# What is shown: `zensical build --strict` refuses a page whose link leads to no page, and builds one whose picture, or whose
#   linked file of another kind, is not there: no warning, exit code 0. Readers get a broken picture.
# Seen with: zensical 0.0.73 on CPython 3.11.7. Its predecessor, mkdocs 1.6.1, ends both builds with `--strict`, on the same files.
# Valid input: a page of Markdown with one picture beside it, and one without.
# Why it matters: a documentation that is built strict so that nothing in it is broken loses its pictures unseen.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check zensical==0.0.73 mkdocs==1.6.1
build() { # TOOL LINE: whether the page with this line is built strict
    rm -rf "$work/site" && mkdir -p "$work/site/docs"
    printf '# Rooms\n\n%s\n' "$2" > "$work/site/docs/index.md"
    printf 'site_name: Rooms\n' > "$work/site/mkdocs.yml"
    (cd "$work/site" && "$work/venv/bin/$1" build --strict) > "$work/log" 2>&1 && echo built || echo refused
}
seen=
for line in '[Prices](prices.md)' '![A room](room.png)' '[The plan](plan.pdf)'; do
    for tool in zensical mkdocs; do
        told=$(build "$tool" "$line")
        printf '%-10s%-24s%s\n' "$tool" "$line" "$told"
        seen+="$told "
    done
done
[ "$seen" = "refused refused built refused built refused " ]
