#!/bin/sh
# Checks that a Go is here that builds this module; says what is wanted otherwise.
# Prints nothing when all is well. Go is not installed by us: Debian's is too old.
set -eu

want=$(awk '$1 == "go" { print $2 }' go.mod)

if ! command -v go >/dev/null 2>&1; then
	echo "setup: Go $want or later is needed and there is no go command in PATH; get it from go.dev/dl" >&2
	exit 1
fi
# With GOTOOLCHAIN=auto an older go fetches the wanted one by itself; with "local" it says why not.
if ! have=$(go env GOVERSION 2>&1); then
	echo "setup: Go $want or later is needed: $have" >&2
	exit 1
fi
have=${have#go}
have=${have%% *}
oldest=$(printf '%s\n%s\n' "$want" "$have" | sort -V | head -n 1)
if [ "$oldest" != "$want" ]; then
	echo "setup: Go $want or later is needed, this is $have; get it from go.dev/dl" >&2
	exit 1
fi
