package notice

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/netip"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"musa"
)

// Bounds of a talk with the mail server.
const (
	talkLimit = 30 * time.Second // for everything before a mail's text
	textLimit = 90 * time.Second // for the text and its answer
)

// post knows the mail server.
type post struct {
	Mail
	host, address string
	from          *mail.Address
	login         *url.Userinfo
	tls           bool // from the first byte on
	local         bool // on this machine, where nobody listens between
}

func badMail(field, public string) error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "setting_mail", Field: field, Public: public}
}

func newPost(m Mail) (*post, error) {
	u, err := url.Parse(m.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, badMail("smtp", "Name the mail server as smtp://[name:password@]host[:port], or smtps:// where TLS begins at once.")
	}
	p := &post{Mail: m, host: u.Hostname(), address: HostPort(u), login: u.User, tls: u.Scheme == "smtps"}
	if p.from, err = mail.ParseAddress(m.From); err != nil || !plain(m.From) {
		return nil, badMail("mail-from", "Mails need a sender: an address, or `Studio <studio@example.org>`.")
	}
	site, err := url.Parse(m.Site)
	if err != nil || site.Host == "" {
		return nil, badMail("public-url", "The links in mails need the address that people use: set public-url, such as https://studio.example.")
	}
	p.Site = strings.TrimRight(m.Site, "/")
	ip, err := netip.ParseAddr(p.host)
	p.local = p.host == "localhost" || err == nil && ip.IsLoopback()
	return p, nil
}

// HostPort is where a mail server's URL leads, with the port that its scheme has by default.
func HostPort(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Host
	case u.Scheme == "smtps":
		return net.JoinHostPort(u.Hostname(), "465")
	}
	return net.JoinHostPort(u.Hostname(), "587")
}

// plain says that a text is one line and holds nothing that steers a protocol.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r == '\u0085' })
}

// outcome is what became of a try. Code says why, without a word of the other side's: those
// repeat addresses.
type outcome struct {
	what result
	code string
}

type result int

const (
	taken   result = iota
	later          // surely not taken; another try may do
	refused        // and always will be
	unknown        // the other side may have it
)

// judged tells what an answer before the end of the text means.
func judged(err error) outcome {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		code := strconv.Itoa(answer.Code)
		if answer.Code >= 500 {
			return outcome{refused, code}
		}
		return outcome{later, code}
	}
	return outcome{later, "connection"}
}

// talk is one connection to the mail server.
type talk struct {
	client *smtp.Client
	conn   net.Conn
	stop   func() bool
}

// open connects, with TLS but on this machine, and signs in where the settings have a name.
func (p *post) open(ctx context.Context) (t *talk, code string, err error) {
	conn, err := p.Dial(ctx, "tcp", p.address)
	if err != nil {
		return nil, "connection", fmt.Errorf("mail server: %w", err)
	}
	// Who waits for an answer when the program ends waits a moment longer, and no more.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(deadline(5 * time.Second)) })
	t = &talk{conn: conn, stop: stop}
	defer func() {
		if err != nil {
			stop()
			conn.Close()
		}
	}()
	t.limit(talkLimit)
	secure := &tls.Config{ServerName: p.host, MinVersion: tls.VersionTLS12}
	if p.tls {
		conn = tls.Client(conn, secure)
	}
	if t.client, err = smtp.NewClient(conn, p.host); err != nil {
		return nil, "connection", fmt.Errorf("greeting of the mail server: %w", err)
	}
	if err := t.client.Hello(p.name()); err != nil {
		return nil, "connection", fmt.Errorf("hello to the mail server: %w", err)
	}
	if !p.tls && !p.local {
		if offered, _ := t.client.Extension("STARTTLS"); !offered {
			return nil, "tls", errors.New("the mail server offers no TLS, and mails go nowhere in clear")
		}
		if err := t.client.StartTLS(secure); err != nil {
			return nil, "tls", fmt.Errorf("TLS with the mail server: %w", err)
		}
	}
	if p.login != nil {
		password, _ := p.login.Password()
		if err := t.client.Auth(smtp.PlainAuth("", p.login.Username(), password, p.host, p.local)); err != nil {
			return nil, "auth", errors.New("the mail server does not take the name and password of the setting smtp")
		}
	}
	return t, "", nil
}

// name is what the studio calls itself: the domain that it sends for.
func (p *post) name() string {
	_, domain, _ := strings.Cut(p.from.Address, "@")
	return domain
}

// deadline is the one place that reads the system's clock: a connection's deadline is not
// turned by tests, and no promise hangs on it.
func deadline(d time.Duration) time.Time { return time.Now().Add(d) }

func (t *talk) limit(d time.Duration) { t.conn.SetDeadline(deadline(d)) }

func (t *talk) close() {
	t.stop()
	t.limit(time.Second)
	if t.client.Quit() != nil {
		t.conn.Close() // it is gone already, or will not say goodbye
	}
}

// ask asks the server to take a mail for somebody. Nothing of the mail has left then. What it
// says of the sender is no word about the mail: the operator has to mend that.
func (t *talk) ask(from, to string) outcome {
	t.limit(talkLimit)
	if err := t.client.Mail("<" + from + ">"); err != nil {
		return outcome{later, judged(err).code}
	}
	if err := t.client.Rcpt("<" + to + ">"); err != nil {
		return judged(err)
	}
	return outcome{what: taken}
}

// say sends the text. As long as its end has not left, the server has not taken it (RFC 5321
// § 4.2.5); once it has, only an answer tells.
func (t *talk) say(text []byte) outcome {
	t.limit(textLimit)
	w, err := t.client.Data()
	if err != nil {
		return judged(err)
	}
	if _, err := io.Copy(w, strings.NewReader(string(text))); err != nil {
		return judged(err)
	}
	err = w.Close()
	var answer *textproto.Error
	switch {
	case err == nil:
		return outcome{what: taken}
	case errors.As(err, &answer):
		return judged(err)
	}
	return outcome{unknown, "connection"}
}
