#!/bin/sh
# Switches off one enforcement at a time, and shows which test turns red. Nothing in the tree
# changes: the compiler is given the other file in its place.
# A line that says SURVIVED is a hole. Takes about three quarters of an hour: doc/mutations.md.
set -eu

root=$(git rev-parse --show-toplevel)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$root"
survived=0
broken=0
only=${1:-} # run the mutations whose name holds this

# try NAME FILE SED-EXPRESSION TESTS PACKAGES
try() {
	case "$1" in *"$only"*) ;; *) return ;; esac
	sed "$3" "$2" >"$scratch/mutant.go"
	if cmp -s "$2" "$scratch/mutant.go"; then
		echo "$1: the mutation no longer applies to $2" >&2
		broken=1
		return
	fi
	printf '{"Replace": {"%s": "%s"}}\n' "$root/$2" "$scratch/mutant.go" >"$scratch/overlay.json"
	if said=$(timeout 900 go test -v -ldflags=-w -overlay "$scratch/overlay.json" $5 -run "$4" 2>&1); then
		# A pattern deeper than its test's parts runs none of them, and all is well.
		parts=$(echo "$4" | sed 's/|.*//; s/[^/]//g' | tr / x | sed 's/x/\/[^ ]*/g')
		if ! echo "$said" | grep -a -q "^=== RUN  *[^ /]*$parts\$"; then
			echo "$1: no test is called $4" >&2
			broken=1
			return
		fi
		echo "$1: SURVIVED"
		survived=1
	elif ! echo "$said" | grep -a -q -e '--- FAIL'; then
		echo "$1: no test failed, but none ended well either:" >&2
		echo "$said" | tail -n 5 >&2
		broken=1
		return
	else
		echo "$1: red, $(echo "$said" | grep -a -E '(_test|musatest)\.go:[0-9]+:' | grep -a -v level= | head -n 1 | sed 's/^ *//' | cut -c 1-150)"
	fi
}

remains='TestNoRemains/.*/sqlite'
try "key destruction" db/due.go 's/if err := tx.destroySecrets(ctx, ids...); err != nil {/if err := error(nil); err != nil {/' "$remains" ./conformance
try "purge" erasure/remove.go 's/stay = e.Blobs.RemoveAll(ctx, names)/stay = map[string]error{}/' "$remains" ./conformance
try "scrub of the database's files" db/scrub.go 's/return d.scrubSQLite(ctx)/return true, nil/' "$remains" ./conformance
try "receipts" erasure/confirm.go 's/receipts = append(receipts, r)/_ = r/' "$remains" ./conformance
try "read guard" policy/decide.go 's/return guard(g, table, &f)/f.Now = 1; return guard(g, table, \&f)/' 'TestMembers/.*/sqlite' ./conformance
try "end of originals with their job" studio/job.go 's/^		vault.SetEnd(v, tx.Now, \&a)/		_ = v/' 'TestOriginals/.*/sqlite' ./conformance
try "grant at the vault" vault/vault.go 's/if !g.Covers(l.Owner, l.Class, l.ID) {/if false {/' TestNothingOpens ./vault
try "fence of a job's attempt" db/job.go 's/ended = ? WHERE id = ? AND attempt = ? AND state/ended = ? WHERE id = ? AND attempt >= ? AND state/' TestAFencedRunner ./runner
try "removal of metadata" studio/upload.go 's/clean, err := pix.Strip(ctx, data)/clean, err := data, error(nil)/' TestMetadataIsRemoved ./api
try "truncation of SQLite's journal" db/scrub_sqlite.go 's/wal_checkpoint(TRUNCATE)/wal_checkpoint(PASSIVE)/' TestScrubLeavesNothing ./db
try "hold, where keys are destroyed" db/due.go 's/^const unheld = .*/const unheld = "1 = 1"/' 'TestHoldAndEndInEitherOrder|TestAnOpeningHoldKeepsAKey' ./retention
try "second person of a release" retention/held.go 's/case by.Subject:/case "nobody":/' 'TestOnlyTheHeldCopySurvives/sqlite' ./retention
try "change of tier or choice, for what exists" retention/change.go 's/f, err := k.follow(ctx, subject)/f, err := Forecast{}, error(nil)/' 'TestAChoiceBearsOnWhatExists|TestALostTier' ./retention
try "notice of a lost tier" retention/change.go 's/taken.Former, taken.Grace = i.Tier, at.Add(notice)/_ = notice/' TestALostTierShortensAfterNotice ./retention
try "later versions" policy/versions.go 's/for n, a := range v.list\[own:\] {/for n, a := range v.list[own : own+1] {/' 'TestAShorterVersion|TestAPendingVersion' ./retention
try "effective day of a version" policy/versions.go 's/if n > 0 \&\& at < a.Effective {/if n < 0 {/' 'TestAPendingVersion|Versions' './retention ./policy'
try "entry of what others open" vault/vault.go 's/if g.Accounted() {/if false {/' TestNothingOfAnothersOpensUnentered ./vault
try "journal before any confirmation" retention/retention.go 's/if err := k.Eraser.Journal(ctx); err != nil {/if err := error(nil); err != nil {/' 'TestTheJournalComesFirst|TestRestoringRevivesNobody' './retention ./backup'
try "journal before the bytes of copies" erasure/remove.go 's/		err := e.Journal(ctx)/		err := error(nil)/' TestTheJournalComesBeforeTheBytes ./backup
try "payments that the law keeps" erasure/subject.go 's/rule, ok := minimum(e.Policy(), s.Tier)/rule, ok := minimum(e.Policy(), "nobody")/' TestAClosedAccount ./rights

# What people said, and who may do what.
try "consent before a purpose" policy/regime.go 's/if (on.consent || x.only) \&\& !x.met(/if x.only \&\& !x.met(/' TestDecideHonoursStanding ./policy
try "restriction" policy/regime.go 's/if f.Restricted \&\& .*(f.Purpose) {/if false {/' TestDecideHonoursStanding ./policy
try "objection" policy/regime.go 's/if on.interest \&\& slices.Contains(f.Objections, f.Purpose) {/if slices.Contains(f.Objections, "nothing") {/' TestDecideHonoursStanding ./policy
try "signal of the browser" api/actor.go 's/return d.Consents.Hear(r.Context(), by)/return by, nil/' 'TestTrainingAsksFirst/.*sqlite' ./conformance
try "authorisation rule of a route" api/rule.go 's/err = by.May(rule.Act)/err = nil/' 'TestMatrix/.*sqlite' ./conformance
try "one-time use of vouchers" account/voucher.go 's/return s, tx.DropVouchers(ctx, v.ID)/return s, nil/' 'TestALinkThatDoesNotWork/sqlite' ./account
try "rate limit" account/limit.go 's/if l.Hits <= int64(n) {/if l.Hits >= 0 {/' 'TestGuessesAreLimited.*/sqlite' ./account
try "unsubscribing" notice/lists.go 's/if !n.allows(n.inForce(), s.Standing(), words, ByMail, m.Kind) {/if !n.allows(n.inForce(), s.Standing(), words, ByMail, m.Kind) \&\& m.Kind == "" {/' TestNewsThatWereStopped ./notice
try "switch of the interaction log" studio/job.go 's/if err != nil || owner.Unlogged == 0 {/if err != nil || owner.Unlogged >= 0 {/' 'TestTrainingAsksFirst/.*sqlite' ./conformance
try "age screen" account/age.go 's/return !now.Before(born.AddDate(years, 0, 0)) \&\& !born.After(now)/return years >= 0/' 'TestTheAgeScreen/sqlite' ./account
try "withdrawals, at a restore" rights/repeat.go 's/return r.Consents.Repeat(ctx, tx, act)/return nil/' 'TestARestoreTakesDecisionsAgain/sqlite' ./backup
try "restrictions and objections, at a restore" rights/repeat.go 's/event, err = r.repeatCase(ctx, tx, s, act, at)/event = ""/' 'TestARestoreTakesDecisionsAgain/sqlite' ./backup
try "roles in a workspace, at a restore" backup/repeat.go 's/return tx.SetMemberRole(ctx, m)/return nil/' 'TestARestoreTakesDecisionsAgain/sqlite' ./backup
try "scrub of keys without a tombstone" erasure/scrub.go 's/soiled = append(soiled, s.Item)/_ = s/' 'TestKeysWithoutATombstone.*/sqlite' ./erasure

# What readers found later.
try "end of what rests on a withdrawn consent" consent/consent.go 's/if !w.Given || !rests(doc, w, gone) {/if w.Name != "" {/' TestAWithdrawnConsentEnds './notice ./consent'
try "mail about a closing" rights/close.go 's/return tx.QueueMail(ctx, db.Mail{Subject: s.ID, Kind: mailClosing.*/return nil/' 'TestAClosingIsMailed/sqlite' ./rights
try "count of resets of its own" account/change.go 's/lettersReset = .*/lettersReset = lettersAny/' 'TestSignUpsWithAnothers.*' ./account
try "guesses at a second factor, past a reset" account/change.go 's/return a.factorChanged(ctx, tx, self(s), "password_reset")/return errors.Join(tx.ForgetHits(ctx, a.codesKey(s.ID)), a.factorChanged(ctx, tx, self(s), "password_reset"))/' 'TestAResetGivesNoMoreGuesses.*' ./account
try "when a provider last saw somebody" account/linking.go 's/^	if j.fresh {/	if true {/' 'TestProofByAProvider.*' ./account
try "unit of an answer to an erasure" rights/desk.go 's/if c.Kind == RightErasure {/if c.Kind == "" {/' 'TestAnAnswerToAnErasureErases.*' ./rights
try "reach of the link to an answer" api/actor.go 's/return by.Thread == "" ||/return true || by.Thread == "" ||/' 'TestTheLinkToAnAnswerOpens.*/sqlite' ./support
try "scope of a key that asks for an erasure" api/requests.go 's/d.Accounts.Covers(ctx, by, scopes\[musa.ActErase\])/error(nil)/' 'TestAKeyThatAsksErasesNothing.*' ./account
try "grace by the version of the closing" policy/versions.go 's/right, _ := v.InForce(closed).Rights/right, _ := v.list[len(v.list)-1].Doc.Rights/' 'TestAShorterGrace.*' ./rights
try "signal, beside what is said for each picture" consent/standing.go 's/if Asks(doc, e.Name) != nil {/if doc == nil {/' 'TestASignalLeavesAlone.*' ./consent
try "order of sealing and its key" vault/vault.go 's/^	<-sealed$/	_ = sealed/' 'TestSealingEndsBefore.*' ./vault
try "overdue accounts, at verify" proof/ends.go "s/FROM subjects WHERE state = 'closed' AND ends > 0/FROM subjects WHERE state = 'nothing' AND ends > 0/" 'TestEachFaultIsFoundAndNamed/sqlite' ./proof
try "mails past their end, at verify" proof/ends.go 's/}{{"created", r.MailsFor}, {"sent", r.SentMailsFor}} {/}{} {/' 'TestEachFaultIsFoundAndNamed/sqlite' ./proof
try "receipts past one bad key" erasure/confirm.go 's/unworded\[a.ID\], left = .*/return err/' 'TestOneBadKey.*' ./erasure
try "reload after a rotation elsewhere" seal/keyset.go 's/	if err := k.reload(); err != nil {$/	if err := ErrBroken; err != nil {/' TestRotationKeepsOldKeysOpen ./seal
try "look before the sequencer's lease" erasure/receipt.go 's/if err != nil || !waiting {/if err != nil || (!waiting \&\& e == nil) {/' TestAnIdleStudioWritesNothing ./retention
try "lease of removals" erasure/remove.go 's/mine, err = tx.TakeLease(ctx, leaseRemove, e.Node, leaseRemoveFor)/mine = true/' 'TestStraysWaitBetweenTries/sqlite' ./retention
try "how a document has people accept it" notice/acceptance.go 's/doc.Terms.Accept == byClick || doc.Changes.Accept == byClick/doc.Changes.Accept == byClick/' 'TestWhatIsSaidAboutAccepting.*/.*' ./api
try "room for what changes an incident" support/incident.go 's/if len(i.Notes) >= maxNotes {/if false {/' 'TestAFullIncident.*/sqlite' ./support
try "end of what is put into a bucket" blob/s3/write.go 's/last = err == io.EOF$/last = err == io.EOF || err == io.ErrUnexpectedEOF/' TestStoreUnderAPrefixInTheProcess ./blob/s3
try "end of what is read from a bucket" blob/s3/s3.go 's/return &content{out.Body, s, name}, nil/return out.Body, nil/' TestABodyThatBreaksOffIsTrouble ./blob/s3
try "end of what is searched for remains" proof/scan.go 's/if err == io.EOF {/if err != nil {/' TestScanOfWhatBreaksOffIsNoScan ./proof
try "cost of hashes, in the claim" account/password.go 's/if a.Passwords.blank().weak() || /if /' TestCheapHashesBelieTheClaim ./account
[ "$broken" = 0 ] || exit 2
exit $survived
