package account

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"musa"
	"musa/db"
)

// ageAgain is how long a visitor who was refused is refused again, whatever they give then.
const ageAgain = 24 * time.Hour

// Origin is what somebody says of themselves so that it can be known whether they may have an
// account. The day is compared and thrown away.
type Origin struct {
	Country string // ISO 3166: "DE", or its part: "US-CA"
	Born    string // "2001-02-28"
}

var countryForm = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)

// place is the country in its one form.
func (o Origin) place() (string, error) {
	c := strings.ToUpper(strings.TrimSpace(o.Country))
	country, _, _ := strings.Cut(c, "-")
	region, err := language.ParseRegion(country)
	if !countryForm.MatchString(c) || err != nil || !region.IsCountry() {
		return "", &musa.Problem{Kind: musa.ErrInvalid, Code: "country_unknown", Field: "country",
			Public: "Choose the country that you live in, by its two letters such as DE, or a part of it such as US-CA."}
	}
	return c, nil
}

func (o Origin) day() (time.Time, error) {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(o.Born))
	if err != nil || t.Year() < 1900 {
		return time.Time{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "born_unreadable", Field: "born",
			Public: "Give your date of birth as year, month and day, such as 1990-05-31."}
	}
	return t, nil
}

// may says whether somebody from there who was born then is old enough for an account, by the
// policy in force. Who was born on 29 February is a year older on 1 March.
func (a *Accounts) may(place string, born, now time.Time) bool {
	minimum := a.Policy().Age.Minimum
	country, _, _ := strings.Cut(place, "-")
	least := minimum.In(country)
	if part, ok := minimum.Where.Get(place); ok {
		least = part
	}
	years, err := strconv.Atoi(least)
	if err != nil {
		return false // a policy without an age lets nobody in: the linter asks for one
	}
	return !now.Before(born.AddDate(years, 0, 0)) && !born.After(now)
}

// screen lets those in who are old enough where they live, and returns where that is. Others are
// refused in words that do not say why, nothing of what they typed is kept, and for a day their
// next try is refused without a look at it: neither their browser nor their session. Promises C-34, P-19.
func (a *Accounts) screen(ctx context.Context, by musa.Actor, v Visitor, o Origin) (place string, err error) {
	place, err = o.place()
	if err != nil {
		return "", err
	}
	born, err := o.day()
	if err != nil {
		return "", err
	}
	keys := [][]byte{a.limitKey("age", v.Network()+" "+v.Agent)}
	if by.Subject != "" {
		keys = append(keys, a.limitKey("age", string(by.Subject)))
	}
	refused := !a.may(place, born, a.Clock().UTC())
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, k := range keys {
			l, err := tx.Hits(ctx, k)
			if err != nil {
				return err
			}
			refused = refused || l.Hits > 0
		}
		if !refused {
			return nil
		}
		for _, k := range keys {
			if _, err := tx.Hit(ctx, k, tx.Now.Add(ageAgain)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if refused {
		return "", &musa.Problem{Kind: musa.ErrRefused, Code: "account_refused",
			Public: "We cannot make an account with these details. Nothing of them was kept. You can go on as a guest where the studio takes guests."}
	}
	return place, nil
}
