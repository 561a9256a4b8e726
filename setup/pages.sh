#!/bin/sh
# Fails when a generated page differs from what its .templ file gives.
# Works on a copy, so that checking never changes the tree.
# Usage: setup/pages.sh path/to/templ
set -eu

templ=$1
case "$templ" in /*) ;; *) templ="$PWD/$templ" ;; esac
here=$PWD
sources=$(find . -name '*.templ' -not -path './build/*' -not -path './node_modules/*' | sort)
[ -n "$sources" ] || exit 0

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp go.mod go.sum "$copy/"
for page in $sources; do
	mkdir -p "$copy/$(dirname "$page")"
	cp "$page" "$copy/$page"
done
(cd "$copy" && "$templ" generate >templ.log 2>&1) || { cat "$copy/templ.log" >&2; exit 1; }

stale=""
for page in $sources; do
	made=${page%.templ}_templ.go
	cmp -s "$copy/$made" "$here/$made" || stale="$stale $made"
done
# A generated file whose page is gone would go on serving it.
for made in $(find . -name '*_templ.go' -not -path './build/*' | sort); do
	[ -e "${made%_templ.go}.templ" ] || stale="$stale $made"
done
if [ -n "$stale" ]; then
	echo "not what templ generates:$stale; run: make generate" >&2
	exit 1
fi
