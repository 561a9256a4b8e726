package account

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"musa"
	"musa/db"
	"musa/vault"
)

// Visitor is what a request tells of where it comes from. Nothing of it is kept as it is: of a
// person's sign-in a Device is, sealed, and counted tries are kept under a keyed digest.
type Visitor struct {
	Addr  netip.Addr // of the network; the zero Addr where it is unknown
	Agent string     // the User-Agent header
	Proto string     // how the request came: "HTTP/2.0"
}

// Device is what the list of sessions shows, and all that is kept of a device.
type Device struct {
	OS      string `json:"os,omitempty"`
	Browser string `json:"browser,omitempty"`
	Kind    string `json:"kind,omitempty"`    // desktop, phone, tablet, program
	Address string `json:"address,omitempty"` // the network it came from: /24, or /48 of IPv6
	// Connection is how it came: "HTTP/2.0".
	Connection string `json:"connection,omitempty"`
}

// truncated is the network of an address: a house, a company, a town.
func (v Visitor) truncated() string {
	addr := v.Addr.Unmap()
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.Masked().String()
}

// Network names who tries, for counting: an address, and of IPv6 what one household has.
func (v Visitor) Network() string {
	addr := v.Addr.Unmap()
	if !addr.Is6() {
		return addr.String()
	}
	p, err := addr.Prefix(64)
	if err != nil {
		return ""
	}
	return p.Masked().String()
}

// mark is a name in a User-Agent and what it stands for.
type mark struct{ in, name string }

// The first that is found counts: most browsers name others, too.
var (
	systems  = []mark{{"Android", "Android"}, {"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
	browsers = []mark{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}, {"python", "Python"}, {"Go-http-client", "Go"}}
)

func firstOf(list []mark, agent string) string {
	for _, m := range list {
		if strings.Contains(agent, m.in) {
			return m.name
		}
	}
	return ""
}

// Device is what is kept of a visitor who signs in.
func (v Visitor) Device() Device {
	d := Device{OS: firstOf(systems, v.Agent), Browser: firstOf(browsers, v.Agent), Kind: "program", Address: v.truncated(), Connection: v.Proto}
	switch {
	case strings.Contains(v.Agent, "iPad") || strings.Contains(v.Agent, "Android") && !strings.Contains(v.Agent, "Mobile"):
		d.Kind = "tablet"
	case strings.Contains(v.Agent, "Mobile") || strings.Contains(v.Agent, "iPhone"):
		d.Kind = "phone"
	case strings.HasPrefix(v.Agent, "Mozilla/"):
		d.Kind = "desktop"
	}
	return d
}

// noteDevice files what is known of a person's device and names the record; empty where the policy
// keeps none, or none of this person.
func (a *Accounts) noteDevice(ctx context.Context, tx db.Tx, by musa.Actor, v Visitor) (musa.RecordID, error) {
	r, err := a.Vault.File(ctx, tx, vault.Filing{By: by, Purpose: musa.PurposeSecure, Category: musa.CategoryDevice, Content: v.Device()})
	switch {
	case errors.Is(err, musa.ErrRefused) || errors.Is(err, musa.ErrGone):
		return "", nil
	case err != nil:
		return "", err
	}
	return r.ID, nil
}
