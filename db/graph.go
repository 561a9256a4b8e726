package db

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"musa"
)

// What goes with its owner is named by the tables' edges; how it goes, here and in
// ownedVerbs. A table in neither loses the rows.
var ownedScripts = map[string]func(Tx, *script, musa.SubjectID){
	"assets":       Tx.eraseAssetsOf,
	"records":      Tx.eraseRecordsOf,
	"secrets":      Tx.destroySecretsOf,
	"subject_keys": Tx.destroySubjectKeyIn,
}

// ownedVerbs are for tables of which more goes than their own rows.
var ownedVerbs = map[string]func(Tx, context.Context, musa.SubjectID) error{
	"members":    Tx.leaveWorkspaces,
	"workspaces": Tx.disband,
}

// EraseSubject erases an owner with all that follows them along the declared edges: from the
// commit on nothing sealed for them opens. Their row stays as a tombstone, and so does what
// the edges keep or detach. Credits go or stay by DetachLedger or DropLedger before. It says false when the
// owner was erased before.
func (tx Tx) EraseSubject(ctx context.Context, id musa.SubjectID) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE subjects SET state = ?0, closed = ?1, last_seen = 0, choice = 0, former = '', grace = 0, ends = 0,
		region = '', consents = '', objections = '', restricted = 0, unlogged = 0
		WHERE id = ?2 AND state <> ?0`, musa.SubjectErased, tx.Now, id)
	if err != nil || n == 0 {
		return false, wrapf(err, "erase subject %s", id)
	}
	following := map[string]bool{"subjects": true}
	for _, t := range Tables() {
		for _, e := range t.Edges {
			if e.Column == t.Owner && e.To == "subjects" && e.On == Follow {
				following[t.Name] = true
			}
		}
	}
	if err := tx.endChoices(ctx, id); err != nil {
		return false, err
	}
	// Some twenty statements, which travel together.
	var all script
	for _, t := range Tables() {
		tx.follow(&all, t, following, id)
	}
	if err := tx.run(ctx, all); err != nil {
		return false, wrapf(err, "erase what is of %s", id)
	}
	for _, t := range Tables() {
		if verb, ok := ownedVerbs[t.Name]; ok && following[t.Name] {
			if err := verb(tx, ctx, id); err != nil {
				return false, wrapf(err, "erase %s of %s", t.Name, id)
			}
		}
	}
	return true, nil
}

// follow does to the rows of one table what their edges say.
func (tx Tx) follow(all *script, t Table, following map[string]bool, id musa.SubjectID) {
	if t.Owner == "" || t.Name == "subjects" {
		return
	}
	if following[t.Name] {
		if ownedVerbs[t.Name] != nil {
			return
		}
		if some, ok := ownedScripts[t.Name]; ok {
			some(tx, all, id)
			return
		}
		all.add("DELETE FROM ?0 WHERE ?1 = ?2", bun.Ident(t.Name), bun.Ident(t.Owner), id)
		return
	}
	for _, e := range t.Edges {
		// The owner of what is detached as a whole changes with the ledger.
		if e.On != Detach || e.Column == t.Owner || !following[e.To] {
			continue
		}
		all.add("UPDATE ?0 SET ?1 = '' WHERE ?2 = ?3 AND ?1 <> ''", bun.Ident(t.Name), bun.Ident(e.Column), bun.Ident(t.Owner), id)
	}
}

// followRecords removes the rows that lead to records and go with them.
func (tx Tx) followRecords(ctx context.Context, ids []musa.RecordID) error {
	if len(ids) == 0 {
		return nil
	}
	for _, t := range Tables() {
		for _, e := range t.Edges {
			if e.To != "records" || e.On != Follow || e.Column != "record" {
				continue
			}
			if _, err := tx.exec(ctx, "DELETE FROM ?0 WHERE record IN (?1)", bun.Ident(t.Name), bun.List(ids)); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseAssetsOf erases all assets of an owner, without receipts of their own: nobody is
// left who could hold them.
func (tx Tx) eraseAssetsOf(all *script, owner musa.SubjectID) {
	all.add("UPDATE assets SET state = 'erased', erased = ?, receipt = '', uses = 0 WHERE owner = ? AND state = 'active'", tx.Now, owner)
}

func (tx Tx) eraseRecordsOf(all *script, owner musa.SubjectID) {
	all.add("UPDATE records SET state = 'erased', erased = ? WHERE owner = ? AND state = 'active'", tx.Now, owner)
}

// destroySecretsOf destroys what opens an owner's items, as destroySecrets does, and notes
// what of it leaves no tombstone.
func (tx Tx) destroySecretsOf(all *script, owner musa.SubjectID) {
	const stray = ` id NOT LIKE 'as\_%' ESCAPE '\' AND id NOT LIKE 'rc\_%' ESCAPE '\'`
	if tx.dialect == SQLite {
		all.add("INSERT INTO strays (item, at) SELECT id, ? FROM secrets WHERE subject = ? AND length(wrapped) > 0 AND"+stray, tx.Now, owner)
		all.add("UPDATE secrets SET id = '', subject = '', wrapped = x'', sealed = x'' WHERE subject = ? AND length(wrapped) > 0", owner)
		return
	}
	// One statement: each is planned for every partition.
	all.add("WITH gone AS (DELETE FROM secrets WHERE subject = ?1 RETURNING id) INSERT INTO strays (item, at) SELECT id, ?0 FROM gone WHERE"+stray, tx.Now, owner)
}

// ErrHeld says that something of an owner is just being copied for a hold: its key has to
// stay for the moment.
var ErrHeld = fmt.Errorf("a hold is being opened: %w", musa.ErrConflict)

// LockItems lists all of an owner's active assets and records, which stay as they are until
// the end of the transaction; ErrHeld while one of them is being copied for a hold.
func (tx Tx) LockItems(ctx context.Context, owner musa.SubjectID) (Items, error) {
	items, err := tx.ActiveItems(ctx, owner)
	if err != nil {
		return items, err
	}
	// After the locks: a hold that was opened meanwhile is seen by this statement.
	var n int
	err = tx.get(ctx, &n, `SELECT COUNT(*) FROM holds AS h JOIN assets AS a ON a.id = h.asset
		WHERE h.owner = ? AND h.state = 'opening' AND a.state = 'active'`, owner)
	if err == nil && n > 0 {
		err = ErrHeld
	}
	return items, wrapf(err, "items of %s", owner)
}
