package rights

import (
	"encoding/json"
	"time"

	"musa"
	"musa/audit"
	"musa/engine"
	"musa/studio"
)

// Format and FormatVersion name the form of an export. Another version is another form: an
// import refuses it rather than guess.
const (
	Format        = "musa-export"
	FormatVersion = 1
)

// The files of an export that are always there, and the folder of its pictures.
const (
	fileManifest = "musa.json"
	fileSchema   = "schema.json"
	fileIndex    = "index.html"
	fileContents = "contents.json"
	fileHistory  = "history.json"
	fileJobs     = "jobs.json"
	fileLedger   = "ledger.json"
	fileSessions = "sessions.json"
	fileSeen     = "disclosures.json"
	fileReceipts = "receipts.json"
	fileHoldings = "holdings.json"
	folderImages = "images"
)

// Manifest is musa.json, the first file: what the archive is.
type Manifest struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	ID      string    `json:"id"` // of this archive; random
	Made    time.Time `json:"made"`
	Server  string    `json:"server"` // who answers for the data there
	Policy  string    `json:"policy"`
	Subject string    `json:"subject"`
	Scope   string    `json:"scope"` // account, asset or prompt
	Item    string    `json:"item,omitempty"`
}

// Contents is contents.json, the last file: without it the archive was cut off.
type Contents struct {
	ID    string `json:"id"`
	Files []File `json:"files"`
}

// File is one file of the archive; itself contents.json does not list.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// Line is what an export's history.json tells of one picture.
type Line struct {
	ID      string         `json:"id"`
	Kind    string         `json:"kind"`
	File    string         `json:"file"` // in the archive
	SHA256  string         `json:"sha256"`
	Name    string         `json:"name"`
	Created time.Time      `json:"created"`
	Ends    *time.Time     `json:"ends"`
	Rule    string         `json:"ends_rule"`
	Saved   bool           `json:"saved"`
	Sold    bool           `json:"commercial"` // its owner says that it is used commercially
	Refuses []string       `json:"refuses"`    // the consents that its owner said no to for it alone
	Format  string         `json:"format"`
	Width   int            `json:"width"`
	Height  int            `json:"height"`
	Bytes   int64          `json:"bytes"`
	Job     string         `json:"job,omitempty"`
	Prompt  string         `json:"prompt,omitempty"`
	Sources []musa.AssetID `json:"sources"`
	Made    *studio.Made   `json:"made,omitempty"`
	Origin  *studio.Origin `json:"origin,omitempty"` // where it was before an import
}

// Work is what jobs.json tells of one job.
type Work struct {
	ID      string         `json:"id"`
	Kind    string         `json:"kind"`
	State   string         `json:"state"`
	Created time.Time      `json:"created"`
	Started *time.Time     `json:"started"`
	Ended   *time.Time     `json:"ended"`
	Engine  string         `json:"engine"`
	Model   string         `json:"model"`
	Code    string         `json:"code,omitempty"` // why it failed
	Sold    bool           `json:"commercial"`
	Prompt  string         `json:"prompt,omitempty"`
	Params  engine.Params  `json:"params"`
	Plan    *engine.Plan   `json:"plan,omitempty"`
	Inputs  []musa.AssetID `json:"inputs"`
	Ends    *time.Time     `json:"ends"` // of prompt and plan
	Origin  *studio.Origin `json:"origin,omitempty"`
}

// Entry is one line of ledger.json: credits, never money or cards.
type Entry struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Job    string    `json:"job,omitempty"`
	Amount int64     `json:"amount"`
	Held   int64     `json:"held"`
	At     time.Time `json:"at"`
}

// Device is a signed-in device in sessions.json, without what signs it in.
type Device struct {
	ID       string     `json:"id"`
	Created  time.Time  `json:"created"`
	LastSeen *time.Time `json:"last_seen"`
	Expires  *time.Time `json:"expires"`
	Device   string     `json:"device,omitempty"` // the record in device.json
}

// Seen is disclosures.json: who else had to do with what is the person's.
type Seen struct {
	Uses []Seeing  `json:"uses"`
	Held []Holding `json:"held"`
}

// Seeing is one time that something was opened by somebody else.
type Seeing struct {
	At      time.Time `json:"at"`
	Role    string    `json:"role"`
	Purpose string    `json:"purpose"`
	Item    string    `json:"item,omitempty"`
}

// Holding is a copy that is or was kept for compliance, as far as the law allows to tell.
type Holding struct {
	Asset    string     `json:"asset"`
	State    string     `json:"state"`
	Opened   time.Time  `json:"opened"`
	Ends     *time.Time `json:"ends"`
	Released *time.Time `json:"released"`
}

// Proof is one erasure's receipt in receipts.json, with all that proves it offline.
type Proof struct {
	audit.Receipt
	Capability string `json:"capability"`
	Verifier   string `json:"verifier"`
	Logged     bool   `json:"logged"`
}

// Part is all of one category that has no file of its own form: account.json, support.json,
// feedback.json and so on.
type Part struct {
	Category string           `json:"category"`
	Words    string           `json:"words"`
	Records  []Sealed         `json:"records"` // what was said, opened
	Rows     []map[string]any `json:"rows"`    // the facts beside it; "table" says of what
}

// Sealed is one record that lay sealed.
type Sealed struct {
	ID      string          `json:"id"`
	Created time.Time       `json:"created"`
	Ends    *time.Time      `json:"ends"`
	Rule    string          `json:"ends_rule"`
	Asset   string          `json:"asset,omitempty"`
	Job     string          `json:"job,omitempty"`
	Content json.RawMessage `json:"content"`
}

// files are the forms of the archive's JSON files; those of categories follow Part.
var files = []struct {
	name  string
	holds any
}{
	{fileManifest, Manifest{}}, {fileHistory, []Line{}}, {fileJobs, []Work{}}, {fileLedger, []Entry{}}, {fileSessions, []Device{}},
	{fileSeen, Seen{}}, {fileReceipts, []Proof{}}, {fileHoldings, Holdings{}}, {fileContents, Contents{}},
}

// partOf is the file in which a category is exported.
func partOf(c musa.Category) string {
	switch c {
	case musa.CategoryOriginal, musa.CategoryOutput:
		return fileHistory
	case musa.CategoryPrompt, musa.CategoryHistory, musa.CategoryGenerationLog:
		return fileJobs
	case musa.CategoryPayment:
		return fileLedger
	case musa.CategoryEvidence:
		return fileSeen
	}
	return string(c) + ".json"
}

// Apart are the tables whose rows are told in a form of their own, each with its file; the rows
// of any other table stand in the part of its category.
func Apart() map[string]string {
	return map[string]string{
		"assets": fileHistory, "jobs": fileJobs, "records": "the part of each record's category", "ledger_accounts": fileHoldings, "ledger_entries": fileLedger,
		"sessions": fileSessions, "receipts": fileReceipts, "holds": fileSeen,
		"logins": "never exported", "vouchers": "never exported", "api_keys": "never exported",
	}
}
