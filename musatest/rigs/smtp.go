package rigs

import (
	"bytes"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Mail is one mail as the other side took it.
type Mail struct {
	From    string   // of the envelope
	To      []string // of the envelope
	Header  mail.Header
	Subject string // decoded
	Text    string // the plain part
	HTML    string // the HTML part
	Raw     string
}

var link = regexp.MustCompile(`https?://\S+`)

// Link is the first address in the plain part whose words hold part; empty when none does.
func (m Mail) Link(part string) string {
	for _, l := range link.FindAllString(m.Text, -1) {
		if strings.Contains(l, part) {
			return strings.TrimRight(l, ".,;>)")
		}
	}
	return ""
}

// SMTPFault is what the other side does instead of taking a mail.
type SMTPFault int

// The faults.
const (
	SMTPTakes      SMTPFault = iota
	SMTPRefuses              // 550 to the recipient
	SMTPLater                // 451 to the recipient
	SMTPLaterData            // 451 after the text came
	SMTPHangsUp              // before the text
	SMTPDisappears           // the text was taken, and no answer comes
)

// SMTP is a mail server that keeps what it gets.
type SMTP struct {
	URL string

	t       testing.TB
	address string

	mu     sync.Mutex
	server *smtp.Server         // nil while it is down; guarded by mu
	mails  []Mail               // guarded by mu
	fault  SMTPFault            // guarded by mu
	faults map[string]SMTPFault // of single addresses; guarded by mu
	delay  chan struct{}        // mails wait until it is closed; nil for none; guarded by mu
	held   chan struct{}        // closed when one waits; guarded by mu
	asked  int                  // recipients named so far; guarded by mu
}

// SMTPServer starts a mail server for one test.
func SMTPServer(t testing.TB) *SMTP {
	t.Helper()
	s := &SMTP{t: t}
	s.Start()
	s.URL = "smtp://" + s.address
	t.Cleanup(s.Stop)
	return s
}

// Start starts the server after Stop, at the same address.
func (s *SMTP) Start() {
	s.t.Helper()
	address := s.address
	if address == "" {
		address = FreeAddress(s.t)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatalf("mail server: %v", err)
	}
	s.address = l.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &smtpSession{sink: s, conn: c}, nil }))
	server.Domain, server.AllowInsecureAuth = "mail.test", true
	server.ErrorLog = log.New(io.Discard, "", 0)
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	go server.Serve(l) // ends with Stop
}

// Stop ends the server; whoever connects is refused.
func (s *SMTP) Stop() {
	s.mu.Lock()
	server := s.server
	s.server = nil
	s.mu.Unlock()
	if server != nil {
		server.Close() // nobody is left who could hear of a fault
	}
}

// Fault has the server do something else than taking mails, until it is called again.
func (s *SMTP) Fault(f SMTPFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// FaultOf has the server do something else than taking the mails to one address.
func (s *SMTP) FaultOf(address string, f SMTPFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == nil {
		s.faults = map[string]SMTPFault{}
	}
	s.faults[address] = f
}

// Hold has mails wait, after their text came and before the answer, until release is called.
// Reached is closed when the first does.
func (s *SMTP) Hold() (reached <-chan struct{}, release func()) {
	c, held := make(chan struct{}), make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay, s.held = c, held
	return held, sync.OnceFunc(func() {
		s.mu.Lock()
		s.delay = nil
		s.mu.Unlock()
		close(c)
	})
}

// Asked is how often a recipient was named, also in vain.
func (s *SMTP) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Mails lists what was taken, the oldest first.
func (s *SMTP) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// To lists what was taken for an address, the oldest first.
func (s *SMTP) To(address string) (list []Mail) {
	for _, m := range s.Mails() {
		if slices.ContainsFunc(m.To, func(to string) bool { return strings.EqualFold(to, address) }) {
			list = append(list, m)
		}
	}
	return list
}

type smtpSession struct {
	sink *SMTP
	conn *smtp.Conn
	from string
	to   []string
}

// fault is what the server does instead of taking a mail to an address.
func (s *smtpSession) fault(to string) SMTPFault {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	if f, ok := s.sink.faults[to]; ok {
		return f
	}
	return s.sink.fault
}

func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.sink.mu.Lock()
	s.sink.asked++
	s.sink.mu.Unlock()
	switch s.fault(to) {
	case SMTPRefuses:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox " + to}
	case SMTPLater:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "come back later, " + to}
	case SMTPHangsUp:
		s.conn.Conn().Close()
		return io.EOF
	}
	s.to = append(s.to, to)
	return nil
}

func (s *smtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := parseMail(raw)
	if err != nil {
		s.sink.t.Errorf("a mail that cannot be read: %v\n%s", err, raw)
		return err
	}
	m.From, m.To = s.from, s.to
	s.sink.mu.Lock()
	delay := s.sink.delay
	if delay != nil && s.sink.held != nil {
		close(s.sink.held)
		s.sink.held = nil
	}
	s.sink.mu.Unlock()
	if delay != nil {
		select {
		case <-delay:
		case <-time.After(readyWait):
			return errors.New("held too long")
		}
	}
	fault := s.fault(strings.Join(s.to, " "))
	if fault == SMTPLaterData {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "no room"}
	}
	s.sink.mu.Lock()
	s.sink.mails = append(s.sink.mails, m)
	s.sink.mu.Unlock()
	if fault == SMTPDisappears {
		s.conn.Conn().Close()
		return io.EOF
	}
	return nil
}

func (s *smtpSession) Reset() { s.from, s.to = "", nil }

func (s *smtpSession) Logout() error { return nil }

func parseMail(raw []byte) (Mail, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Header: msg.Header, Raw: string(raw)}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return m, err
	}
	return m, m.part(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
}

// part takes one part of a mail, and what stands in it.
func (m *Mail) part(kind, encoding string, body io.Reader) error {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return err
	}
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
				return err
			}
		}
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if media == "text/html" {
		m.HTML = string(text)
	} else {
		m.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
	return err
}
