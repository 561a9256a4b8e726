package support

import (
	"encoding/json"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
)

// conversationVersion is written into each sealed thread.
const conversationVersion = 1

// The sides of a thread.
const (
	FromPerson = "person"
	FromStaff  = "staff"
)

// unreadNobody says that no side has something new to read.
const unreadNobody = "nobody"

// Conversation is all that was said in a thread, as it lies sealed and as an export holds it.
type Conversation struct {
	Version  int       `json:"version"`
	Email    string    `json:"email,omitempty"`    // where answers go, of somebody without an account
	Language string    `json:"language,omitempty"` // in which they are told there that one waits
	Report   *Report   `json:"report,omitempty"`
	Messages []Message `json:"messages"`
	// Case is the request that the thread was entered as; empty for none.
	Case musa.CaseID `json:"case,omitempty"`
}

// Message is one thing that was said. Instants are Unix milliseconds.
type Message struct {
	At    musa.Millis `json:"at"`
	From  string      `json:"from"` // person or staff; who of the staff stands in the audit log
	Words string      `json:"words"`
	// Entered is the right that the thread was entered as a request about, in place of words: readers
	// say it in their language.
	Entered string `json:"entered,omitempty"`
}

// Thread is a thread as its person and the staff see it. Of a list it is without what was said.
type Thread struct {
	db.Thread
	Conversation
	Ends musa.Millis // when it goes; 0 with the account
	Rule string      // the line of the policy that says so
}

// add appends a message, within the bounds of a thread.
func (c *Conversation) add(m Message) error {
	if len(c.Messages) >= maxMessages {
		return full()
	}
	c.Messages = append(c.Messages, m)
	plain, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode a thread: %w", err)
	}
	if len(plain) > maxThread {
		return full()
	}
	return nil
}

func full() error {
	return &musa.Problem{Kind: musa.ErrTooLarge, Code: "thread_full", Field: "words", Public: "This thread is full. Begin another one and name this one in it."}
}

// threadOf puts a row, its record and its content together. A thread that lasts as long as its
// owner stays has no end yet; the rule that will end it is named all the same.
func (d *Desk) threadOf(t db.Thread, r db.Record, c Conversation) Thread {
	out := Thread{Thread: t, Conversation: c, Ends: r.Ends, Rule: r.Rule}
	if out.Rule == "" {
		out.Rule = d.Policy().End(policy.Item{Category: r.Category, Tier: r.Tier, Created: r.Created, LastSeen: t.Updated, Closed: t.Updated}).Path
	}
	return out
}
