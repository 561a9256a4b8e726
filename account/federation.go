package account

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"musa"
	"musa/db"
)

const (
	// providerWait is how long somebody may take at a provider, joinWait how long to say what an
	// account needs besides.
	providerWait, joinWait = 10 * time.Minute, 30 * time.Minute
	// providerBegins is how many sign-ins may begin from one network in a minute.
	providerBegins = 30
)

type providerSeal struct {
	Provider string `json:"provider"`
}

// joinSeal is somebody whom a provider knows and who has no account yet.
type joinSeal struct {
	Provider string `json:"provider"`
	Handle   []byte `json:"handle"`
	Email    string `json:"email"` // verified, or empty
	fresh    bool   // they signed in there just now
}

// Leaving sends a browser to a provider. Cookie stays in the browser: who comes back without it is
// somebody else.
type Leaving struct {
	URL    string
	Cookie string
	Until  musa.Millis
}

// Leave begins a sign-in with a provider; musa.ErrNotFound for one that there is not, ErrRefused
// for one that the policy in force does not name.
func (a *Accounts) Leave(ctx context.Context, name string, from Visitor) (Leaving, error) {
	if err := a.Limit(ctx, "provider", from.Network(), providerBegins, time.Minute); err != nil {
		return Leaving{}, err
	}
	return a.leave(ctx, errand{provider: name})
}

// LeaveToLink begins to make a provider another way into the actor's account. They have to have
// proved who they are.
func (a *Accounts) LeaveToLink(ctx context.Context, by musa.Actor, name string) (Leaving, error) {
	if err := a.personal(ctx, by); err != nil {
		return Leaving{}, err
	}
	return a.leave(ctx, errand{provider: name, subject: by.Subject})
}

// LeaveToProve begins to prove by a provider that the session's person is there: it is asked to
// have them sign in anew.
func (a *Accounts) LeaveToProve(ctx context.Context, by musa.Actor, name string) (Leaving, error) {
	if err := provable(by); err != nil {
		return Leaving{}, err
	}
	return a.leave(ctx, errand{provider: name, subject: by.Subject, intent: proving})
}

// proving begins the state of somebody who only proves who they are. Nobody changes it on the way:
// the voucher's digest is made over the whole.
const proving = "prove."

// errand is what somebody goes to a provider for.
type errand struct {
	provider string
	subject  musa.SubjectID // whose account it is about; empty to sign in
	intent   string         // proving, or empty to link
}

func (a *Accounts) leave(ctx context.Context, e errand) (Leaving, error) {
	ctx, stop := context.WithTimeout(ctx, answerWait)
	defer stop()
	name := e.provider
	s, err := a.speaks(ctx, name)
	if err != nil {
		return Leaving{}, err
	}
	state, out := newSecret(e.intent), Leaving{Cookie: newSecret("")}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		out.Until = tx.Now.Add(providerWait)
		return tx.InsertVoucher(ctx, db.Voucher{ID: musa.NewVoucherID(a.Clock()), Subject: e.subject, Purpose: musa.VoucherProvider,
			Digest: a.providerDigest(name, state, out.Cookie), Created: tx.Now, Expires: out.Until})
	})
	if err != nil {
		return Leaving{}, fmt.Errorf("leave for provider %s: %w", name, err)
	}
	c, err := a.ceremony(name, state)
	out.URL = s.leave(c, e.intent)
	return out, err
}

// speaks finds a provider and how to speak with it, where the policy names all that we ask.
func (a *Accounts) speaks(ctx context.Context, name string) (speaks, error) {
	p, err := a.providerNamed(name)
	if err != nil {
		return speaks{}, err
	}
	s, err := a.discover(ctx, p)
	if err != nil {
		return speaks{}, err
	}
	return s, declared(a.Policy(), p, s.asks())
}

func (a *Accounts) providerDigest(name, state, cookie string) []byte {
	return a.Keys.Digest("provider state", name+"\x00"+state+"\x00"+cookie)
}

// ceremony follows from the state: nothing of it is stored, and who holds the state alone cannot
// make the rest.
func (a *Accounts) ceremony(name, state string) (ceremony, error) {
	back, err := url.JoinPath(a.PublicURL, "/api/session/provider", name, "callback")
	return ceremony{state: state, back: back, nonce: text(a.Keys.Digest("provider nonce", state)),
		verifier: text(a.Keys.Digest("provider verifier", state))}, err
}

// Welcome is what came of a return from a provider.
type Welcome struct {
	Entry         // of somebody who has an account
	Join   string // a secret for Join, of somebody who has none
	Guest  Guest  // with Join, for somebody who had no session at all
	Linked musa.LoginID
	Proved musa.LoginID // by which the session's person proved that they are there
}

// Return ends what Leave began. Whoever comes back with another browser, another provider, twice
// or late is refused in the same words.
//
// Nobody is signed in by an e-mail address: one that the provider did not verify counts as none,
// and one that an account has already sends its person to sign in there first, and to link.
// Promise O-06.
func (a *Accounts) Return(ctx context.Context, by musa.Actor, b Back, from Visitor) (Welcome, error) {
	linking, err := a.returned(ctx, b)
	if err != nil {
		return Welcome{}, err
	}
	if linking != "" && (by.Subject != linking || by.Key != "") {
		return Welcome{}, linkOver()
	}
	if b.Error != "" || b.Code == "" {
		return Welcome{}, &musa.Problem{Kind: musa.ErrRefused, Code: "provider_declined",
			Public: "The provider did not let you through, or you turned back there. Begin again, or sign in another way."}
	}
	j, err := a.identity(ctx, b)
	switch {
	case err != nil:
		return Welcome{}, err
	case linking == "":
		return a.welcome(ctx, by, j, from)
	case strings.HasPrefix(b.State, proving):
		return a.proveBy(ctx, by, j)
	}
	return a.link(ctx, by, j)
}

// identity asks the provider for whom it sent the browser back.
func (a *Accounts) identity(ctx context.Context, b Back) (joinSeal, error) {
	ctx, stop := context.WithTimeout(ctx, answerWait)
	defer stop()
	s, err := a.speaks(ctx, b.Provider)
	if err != nil {
		return joinSeal{}, err
	}
	c, err := a.ceremony(b.Provider, b.State)
	if err != nil {
		return joinSeal{}, err
	}
	who, err := s.meet(ctx, c, b.Returned, a.Clock)
	if err != nil {
		return joinSeal{}, err
	}
	j := joinSeal{Provider: b.Provider, Handle: a.Keys.Digest("provider", s.Issuer+"\x00"+who.subject), fresh: who.fresh}
	if email, err := Address(who.email); err == nil {
		j.Email = email // one that we could not write to counts as none
	}
	return j, nil
}

// Back is somebody who came back from a provider, with the browser's cookie.
type Back struct {
	Provider, Cookie string
	Returned
}

// returned spends the voucher of a sign-in and says whose account it was to be linked with.
func (a *Accounts) returned(ctx context.Context, b Back) (linking musa.SubjectID, err error) {
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		v, err := tx.VoucherBy(ctx, a.providerDigest(b.Provider, b.State, b.Cookie))
		if errors.Is(err, musa.ErrNotFound) || err == nil && v.Purpose != musa.VoucherProvider {
			return linkOver()
		}
		if err != nil {
			return err
		}
		linking = v.Subject
		return tx.DropVouchers(ctx, v.ID)
	})
	if err != nil {
		return "", fmt.Errorf("return from a provider: %w", err)
	}
	return linking, nil
}

// welcome signs in whom an identity leads to, or has them say what an account needs.
func (a *Accounts) welcome(ctx context.Context, by musa.Actor, j joinSeal, from Visitor) (Welcome, error) {
	var w Welcome
	var unknown bool
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		w, unknown = Welcome{}, false
		l, err := tx.LoginBy(ctx, musa.LoginProvider, j.Handle)
		if errors.Is(err, musa.ErrNotFound) {
			unknown = true
			return nil
		}
		if err != nil {
			return err
		}
		sub, err := tx.Subject(ctx, l.Subject)
		if err != nil {
			return err
		}
		if err := tx.TouchLogin(ctx, l.ID); err != nil {
			return err
		}
		if w.Factor, err = a.halfway(ctx, tx, sub.ID); err != nil || w.Factor != "" {
			return err
		}
		shown, err := j.proves(ctx, tx, sub.ID)
		if err != nil {
			return err
		}
		proved := tx.Now
		if !shown {
			proved = 0 // in, but not proved: whoever signs out does not get around a proof
		}
		w.Entry, err = a.open(ctx, tx, sub, from, proved)
		return err
	})
	if err == nil && unknown {
		return a.offer(ctx, by, j, from)
	}
	if err != nil {
		return Welcome{}, fmt.Errorf("sign in with a provider: %w", err)
	}
	return w, nil
}

// offer keeps an identity for a while under a guest, who may become its person.
func (a *Accounts) offer(ctx context.Context, by musa.Actor, j joinSeal, from Visitor) (w Welcome, err error) {
	if by.Subject != "" && by.Tier != musa.TierGuest {
		return Welcome{}, &musa.Problem{Kind: musa.ErrConflict, Code: "provider_unlinked",
			Public: "You are signed in to an account that is not linked with that identity. Link it under “Ways to sign in”, or sign out first."}
	}
	if by.Subject == "" {
		if w.Guest, err = a.AdmitFrom(ctx, from); err != nil {
			return Welcome{}, err
		}
		by.Subject = w.Guest.Subject
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if taken, err := a.addressTaken(ctx, tx, j.Email); err != nil || taken {
			return errors.Join(err, providerKnown(taken))
		}
		w.Join = newSecret("")
		v := db.Voucher{ID: musa.NewVoucherID(a.Clock()), Subject: by.Subject, Purpose: musa.VoucherJoin,
			Digest: a.Keys.Digest("join", w.Join), Created: tx.Now, Expires: tx.Now.Add(joinWait)}
		if err := tx.InsertVoucher(ctx, v); err != nil {
			return err
		}
		return a.Vault.SealOwn(ctx, tx, by.Subject, string(v.ID), j)
	})
	if err != nil {
		return Welcome{}, fmt.Errorf("offer an account from a provider: %w", err)
	}
	return w, nil
}

func providerKnown(taken bool) error {
	if !taken {
		return nil
	}
	return &musa.Problem{Kind: musa.ErrConflict, Code: "provider_known",
		Public: "There is an account with this e-mail address. Sign in to it first, then link the provider under “Ways to sign in”."}
}

// Join makes the guest whom a provider knows a person, with the provider as their way in and its
// verified e-mail address as theirs.
func (a *Accounts) Join(ctx context.Context, by musa.Actor, secret string, n Newcomer, from Visitor) (Entry, error) {
	who, err := a.admissible(ctx, by, n, from)
	if err != nil {
		return Entry{}, err
	}
	var in Entry
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		in = Entry{}
		v, err := tx.VoucherBy(ctx, a.Keys.Digest("join", secret))
		if errors.Is(err, musa.ErrNotFound) || err == nil && (v.Purpose != musa.VoucherJoin || v.Subject != by.Subject || by.Tier != musa.TierGuest) {
			return linkOver()
		}
		if err != nil {
			return err
		}
		var j joinSeal
		if err := a.Vault.OpenOwn(ctx, tx, by, musa.PurposeSignIn, musa.CategoryCredential, string(v.ID), &j); err != nil {
			return err
		}
		if taken, err := a.addressTaken(ctx, tx, j.Email); err != nil || taken {
			return errors.Join(err, providerKnown(taken))
		}
		if _, err := a.addProvider(ctx, tx, by.Subject, j); err != nil {
			return err
		}
		if err := tx.DropVouchers(ctx, v.ID); err != nil {
			return err
		}
		who := who
		who.Address, who.Person.Email = j.Email, j.Email
		in, err = a.joined(ctx, tx, by, who, from)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("join from a provider: %w", err)
	}
	return in, a.Settle(ctx, in.Subject)
}

// addressTaken says whether an address leads to an account.
func (a *Accounts) addressTaken(ctx context.Context, tx db.Tx, email string) (bool, error) {
	if email == "" {
		return false, nil
	}
	_, err := tx.AddressBy(ctx, a.digestOf(email))
	if errors.Is(err, musa.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
