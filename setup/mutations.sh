#!/bin/sh
# Switches off one enforcement at a time, in a scratch clone, and shows which test turns red.
# A line that says SURVIVED is a hole. Takes about five minutes: doc/mutations.md.
set -eu

root=$(git rev-parse --show-toplevel)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git clone -q "$root" "$scratch/musa"
cd "$scratch/musa"
export MUSA_MODELS="$root/models"
survived=0

# try NAME FILE SED-EXPRESSION TESTS PACKAGE
try() {
	cp "$2" "$scratch/was"
	sed -i "$3" "$2"
	if cmp -s "$2" "$scratch/was"; then
		echo "$1: the mutation no longer applies to $2" >&2
		exit 2
	fi
	if said=$(timeout 300 go test "$5" -run "$4" 2>&1); then
		echo "$1: SURVIVED"
		survived=1
	else
		echo "$1: red, $(echo "$said" | grep -E '_test\.go:[0-9]+:' | head -n 1 | sed 's/^ *//' | cut -c 1-150)"
	fi
	cp "$scratch/was" "$2"
}

remains='TestNoRemains/.*/.*/sqlite'
try "key destruction" db/due.go 's/if err := tx.destroySecrets(ctx, ids...); err != nil {/if err := error(nil); err != nil {/' "$remains" ./conformance
try "purge" erasure/erasure.go 's/if err := e.Blobs.Remove(ctx, b.Name); err != nil/if err := error(nil); err != nil/' "$remains" ./conformance
try "scrub of the database's files" db/scrub.go 's/return d.scrubSQLite(ctx)/return true, nil/' "$remains" ./conformance
try "receipts" erasure/confirm.go 's/receipts = append(receipts, r)/_ = r/' "$remains" ./conformance
try "read guard" policy/decide.go 's/return guard(g, rules, &f)/f.Now = 1; return guard(g, rules, \&f)/' 'TestLifetimes/.*/.*/sqlite' ./conformance
try "end of originals with their job" studio/job.go 's/^		SetEnd(doc, &a)/		_ = doc/' 'TestOriginals/.*/sqlite' ./conformance
try "grant at the vault" vault/vault.go 's/if !g.Covers(l.Owner, l.Class, l.ID) {/if false {/' TestNothingOpens ./vault
try "fence of a job's attempt" db/job.go 's/ended = ? WHERE id = ? AND attempt = ? AND state/ended = ? WHERE id = ? AND attempt >= ? AND state/' TestAFencedRunner ./runner
try "removal of metadata" studio/upload.go 's/clean, err := pix.Strip(ctx, data)/clean, err := data, error(nil)/' TestMetadataIsRemoved ./api
exit $survived
