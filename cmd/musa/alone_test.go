package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/house"
	"musa/musatest/rigs"
	"musa/policies"
)

// A store is judged by the policy that is in force in it, whatever its name: another one's times
// would accuse what that one keeps.
func TestVerifyJudgesByThePolicyInForce(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"sqlite", "postgres"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			url := ""
			if dialect == "postgres" {
				url, _ = rigs.Postgres(t)
			}
			v := verifyBuild(t, url)
			doc, err := policies.Load("professional", nil) // payments: 10 years
			verifyMust(t, err)
			verifyMust(t, house.Publish(t.Context(), v.db, doc))
			v.spoil(t, fmt.Sprintf("INSERT INTO ledger_entries VALUES ('le_x', 'su_x', '', 'grant', 0, 0, %d)", time.Now().AddDate(-8, 0, 0).UnixMilli()))
			if _, said := v.musa(append([]string{"verify", "--quick"}, v.flags()...)...); strings.Contains(said, "payment_overdue") || !strings.Contains(said, "looked at") {
				t.Errorf("by the policy in force: %s", said)
			}
			if _, said := v.musa(append([]string{"verify", "--quick", "--policy=studio"}, v.flags()...)...); !strings.Contains(said, "payment_overdue") {
				t.Errorf("by studio's seven years: %s", said)
			}
		})
	}
}

// Two servers over one data folder, each with a queue of its own, would not hear of what the other
// hides: the second is refused, and the folder is free when the first has ended.
func TestADataFolderHasOneServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	free, err := alone(dir)
	verifyMust(t, err)
	_, err = alone(dir)
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != "data_served" || p.Field != "data" || !strings.Contains(p.Public, "--nats") {
		t.Errorf("the second server gets %v", err)
	}
	verifyMust(t, free())
	again, err := alone(dir)
	verifyMust(t, err)
	verifyMust(t, again())
}

// A mistyped place of a backup is said, and not made.
func TestRestoreFromNowhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v := verifyBuild(t, "")
	place := filepath.Join(dir, "no-such-backup")
	status, said := v.musa("restore", "--from=file://"+place, "--data="+filepath.Join(dir, "new"), "--keys="+v.keys)
	if status != 2 || !strings.Contains(said, "from: ") {
		t.Errorf("exit %d: %s", status, said)
	}
	if _, err := os.Stat(place); err == nil {
		t.Error("the folder was made")
	}
}
