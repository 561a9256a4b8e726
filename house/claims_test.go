package house_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"musa/account"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policy"
)

// sealed is a studio with two owners' pictures, one of them made by a job, and a chained
// audit log.
func sealed(t *testing.T, stores musatest.Stores) *musatest.Studio {
	t.Helper()
	s := musatest.New(t, musatest.Rig{Stores: stores, Passwords: account.Stated})
	for range 2 {
		g := s.Guest()
		g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	}
	s.Step()
	return s
}

func passing(t *testing.T, s *musatest.Studio) []string {
	t.Helper()
	s.Claims.Test(t.Context())
	var names []string
	for name, passes := range s.Claims.Passing() {
		if passes {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Every claim that a policy may make has a self-test here.
func TestEveryClaimHasASelfTest(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	if got := s.Claims.Passing(); len(got) != 0 {
		t.Errorf("before the first test %v are shown", got)
	}
	s.Claims.Test(t.Context())
	for _, name := range policy.KnownClaims() {
		if _, tested := s.Claims.Passing()[name]; !tested {
			t.Errorf("%s is not tested", name)
		}
	}
	if tested := len(s.Claims.Passing()); tested != len(policy.KnownClaims()) {
		t.Errorf("%d tests for %d claims", tested, len(policy.KnownClaims()))
	}
}

// A sound store passes; each fault, planted behind the product's back, takes away the claim
// that it belies and no other. Promise E-34.
func TestClaimsFailWhenTheyAreFalse(t *testing.T) {
	t.Parallel()
	sound := []string{"argon2id_passwords", "audit_log", "encrypted_at_rest", "per_subject_keys", "roles"}
	const strange = "(SELECT MIN(subject) FROM subject_keys WHERE length(wrapped) > 0)"
	for _, stores := range musatest.BothStores() {
		for _, c := range []struct{ name, fault, takes string }{
			{"a record in clear", "UPDATE secrets SET sealed = CAST('{}' AS %BYTES)", "encrypted_at_rest"},
			{"keys under another's", "UPDATE secrets SET subject = " + strange, "per_subject_keys"},
			{"a password that is not kept", "INSERT INTO logins (id, subject, kind, handle, created, used) VALUES ('lo_none', " + strange + ", 'password', CAST('' AS %BYTES), 1, 0)", "argon2id_passwords"},
			{"a changed event", "UPDATE audit_events SET action = 'nothing' WHERE seq = 1", "audit_log"},
			{"a lost event", "DELETE FROM audit_events WHERE seq = (SELECT MAX(seq) FROM audit_events)", "audit_log"},
			{"a forged head", "UPDATE audit_heads SET note = REPLACE(note, 'musa', 'musb')", "audit_log"},
			{"events that wait", "UPDATE audit_events SET seq = NULL, at = at - 61000 WHERE seq = (SELECT MAX(seq) FROM audit_events)", "audit_log"},
			{"a role that is none", "INSERT INTO roles (subject, role, since) VALUES (" + strange + ", 'emperor', 1)", "roles"},
			{"a role of nobody", "INSERT INTO roles (subject, role, since) VALUES ('su_nobody', 'operator', 1)", "roles"},
		} {
			t.Run(string(stores)+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				s := sealed(t, stores)
				if got := passing(t, s); !slices.Equal(got, sound) {
					t.Fatalf("of a sound store %q pass, want %q", got, sound)
				}
				bytes := map[musatest.Stores]string{musatest.Embedded: "BLOB", musatest.Scaled: "bytea"}[stores]
				tamper(t, s, strings.ReplaceAll(c.fault, "%BYTES", bytes))
				want := slices.DeleteFunc(slices.Clone(sound), func(name string) bool { return slices.Contains(strings.Fields(c.takes), name) })
				if got := passing(t, s); !slices.Equal(got, want) {
					t.Errorf("%q pass, want %q", got, want)
				}
			})
		}
	}
}

func tamper(t *testing.T, s *musatest.Studio, statement string) {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	if _, err := own.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// A blob that lies in clear takes the claim away, and with it the sentence from the page.
func TestAPictureInClearTakesTheClaimOffThePage(t *testing.T) {
	t.Parallel()
	s := sealed(t, musatest.Embedded)
	if got := passing(t, s); !slices.Contains(got, "encrypted_at_rest") {
		t.Fatalf("%q pass", got)
	}
	g := s.Guest()
	shown := func() bool {
		page := string(g.Do("GET", "/privacy", nil).Body)
		if !strings.Contains(page, ">security.caveat<") {
			t.Error("the page does not say that none is perfect")
		}
		at := slices.Index(s.InForce().Security.Claims, "encrypted_at_rest")
		return at >= 0 && strings.Contains(page, ">security.claims["+string(rune('0'+at))+"]<")
	}
	if !shown() {
		t.Error("a claim that holds is not on the page")
	}
	clear := photos.Read(t, "chelsea.png")
	replaced := 0
	err := filepath.WalkDir(s.Dirs[0], func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(path, "asset") {
			replaced++
			return os.WriteFile(path, clear, 0o600)
		}
		return err
	})
	if err != nil || replaced == 0 {
		t.Fatalf("%d blobs replaced: %v", replaced, err)
	}
	if got := passing(t, s); slices.Contains(got, "encrypted_at_rest") || !slices.Contains(got, "per_subject_keys") {
		t.Errorf("%q pass", got)
	}
	if shown() {
		t.Error("a claim that fails is on the page")
	}
}
