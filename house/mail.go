package house

import (
	"context"
	"strings"

	"musa/db"
	"musa/notice"
	"musa/vault"
)

// openNotices makes what tells people, and says for each kind of mail that does not go to its
// account's own address where that address lies.
func (h *House) openNotices(v *vault.Vault) error {
	m := h.Mail
	m.Site = h.PublicURL
	var err error
	h.Notices, err = notice.New(notice.Config{DB: h.DB, Vault: v, Keys: h.Keys, Book: h.Consents, Versions: h.Versions,
		Clock: h.Clock, Log: h.Log, Mail: m, Find: map[string]notice.Finder{
			notice.SignUp: h.letter, notice.Reset: h.letter, notice.Change: h.letter, notice.Changed: h.letter, notice.Invite: h.letter, notice.Thread: h.answer,
		}})
	return err
}

// letter finds where a mail about an account or an invitation goes, and draws the secret of its
// link: nobody has it before.
func (h *House) letter(ctx context.Context, tx db.Tx, m db.Mail) (notice.Addressee, error) {
	l, err := h.Accounts.Letter(ctx, tx, m)
	return notice.Addressee{Email: l.Email, Language: l.Language, Secret: l.Secret}, err
}

// answer finds where the mail goes that an answer of support waits: to the address that somebody
// without an account gave, with a link that opens it, or to the account's own.
func (h *House) answer(ctx context.Context, tx db.Tx, m db.Mail) (notice.Addressee, error) {
	if !strings.HasPrefix(m.Object, "th_") {
		return h.letter(ctx, tx, m)
	}
	return notice.Addressee{}, notice.ErrOwnAddress
}
