package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"musa"
)

// Settings are the same words as flags, as MUSA_… and in musa.yaml.
type Settings struct {
	Data      string `help:"Folder for the database and the blobs of a single machine." default:"./data" placeholder:"DIR"`
	PublicURL string `help:"Address that people use, if it is not the one listened on." placeholder:"URL"`
	Policy    string `help:"Policy: the name of a preset, or a file." default:"studio"`
	DB        string `name:"db" help:"Database URL (postgres://…); empty is SQLite in the data folder." placeholder:"URL"`
	Blobs     string `help:"Blob store URL (s3://…); empty is files in the data folder." placeholder:"URL"`
	Backup    string `help:"Backup target, apart from the data: file:///DIR or s3://…; none gives one up." placeholder:"URL"`
	NATS      string `name:"nats" help:"NATS URL of a cluster; empty is the server inside." placeholder:"URL"`
	Keys      string `help:"The instance's key file. Without it nothing opens: keep a copy apart from the data." default:"./musa.keys" placeholder:"FILE"`
	Models    string `help:"Folder of the neural networks." default:"./models" placeholder:"DIR"`
	Vips      string `help:"The libvips library, if it is not where the system looks." placeholder:"FILE"`
	Width     int    `help:"Jobs that this node carries at once." default:"2"`
	Node      string `help:"This node's name, unique among those that share a database; made up if empty." placeholder:"NAME"`
	SMTP      string `name:"smtp" help:"Mail server: smtp://[name:password@]host[:port], or smtps://. Rather in musa.yaml or MUSA_SMTP: it may hold a password." placeholder:"URL"`
	MailFrom  string `help:"Whom mails come from." placeholder:"ADDRESS"`
	S3Key     string `name:"s3-access-key" help:"Access key of the blob store." env:"AWS_ACCESS_KEY_ID" placeholder:"KEY"`
	S3Secret  string `name:"s3-secret-key" help:"Secret key of the blob store." env:"AWS_SECRET_ACCESS_KEY" placeholder:"KEY"`
	LogFormat string `help:"Log as text or json." enum:"text,json" default:"text"`

	Providers         Providers `name:"provider" help:"Identity provider to sign in with: name=google,id=…,secret=… (issuer=https://… for others). Rather in musa.yaml: it holds a secret." placeholder:"WORDS"`
	PrivateProcessors bool      `help:"Let the policy's processors lie on private addresses: in one's own network."`

	MaxUpload    int64 `help:"Largest upload in MB." default:"100"`
	MaxPixels    int64 `help:"Largest picture in megapixels." default:"64"`
	GuestCredits int64 `help:"Credits of a new guest." default:"200"`
}

// session is how long a guest's unused session lasts.
const session = 30 * 24 * time.Hour

// Validate implements kong's check: numbers with which a server would serve nobody stop the start.
func (s Settings) Validate() error {
	for _, n := range []struct {
		setting string
		value   int64
		least   int64
	}{{"width", int64(s.Width), 1}, {"max-upload", s.MaxUpload, 1}, {"max-pixels", s.MaxPixels, 1}, {"guest-credits", s.GuestCredits, 0}} {
		if n.value < n.least {
			return &musa.Problem{Kind: musa.ErrInvalid, Code: "setting_number", Field: n.setting,
				Public: fmt.Sprintf("This setting takes a whole number from %d on.", n.least)}
		}
	}
	return nil
}

// settingsFile is what a settings file says, or why it cannot be read. It implements kong.Resolver.
type settingsFile struct {
	name   string
	values map[string]any
	err    error
}

// fileSettings reads the settings file; a missing one is no error unless it was asked for.
func fileSettings(args []string) kong.Resolver {
	path, asked := settingsPath(args)
	f := settingsFile{name: filepath.Base(path), values: map[string]any{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return f
	}
	if err == nil {
		err = yaml.Unmarshal(raw, &f.values)
	}
	if err != nil {
		f.err = &musa.Problem{Kind: musa.ErrInvalid, Code: "settings_unreadable", Field: "config",
			Public: fmt.Sprintf("The settings file %s cannot be read. It is YAML: one `name: value` a line.", f.name), Cause: err}
	}
	return f
}

// Resolve gives a flag what the file says of it; a name without a value is not set.
func (f settingsFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if f.err != nil {
		return nil, f.err
	}
	switch v := f.values[flag.Name].(type) {
	case nil:
		return nil, nil
	case []any:
		return inline(v)
	case map[string]any:
		return nil, f.wrong(flag.Name, "takes one value, not a mapping")
	default:
		return fmt.Sprint(v), nil
	}
}

// Validate refuses a name that no command takes. One file serves all commands, so each may find
// names there that are another's; but what nobody reads was meant for something.
func (f settingsFile) Validate(app *kong.Application) error {
	known := flagNames(app.Node)
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		if slices.Contains(known, name) {
			if _, nested := f.values[name].(map[string]any); nested {
				return f.wrong(name, "takes one value, not a mapping")
			}
			continue
		}
		says := "is no setting. `musa serve --help` lists them"
		for _, k := range known {
			if alike(name, k) {
				says = fmt.Sprintf("is no setting. Did you mean %s?", k)
			}
		}
		return f.wrong(name, says)
	}
	return nil
}

func (f settingsFile) wrong(name, says string) error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "setting_unknown", Field: "config", Public: fmt.Sprintf("In %s, `%s` %s.", f.name, name, says)}
}

func flagNames(n *kong.Node) (names []string) {
	for _, f := range n.Flags {
		names = append(names, f.Name)
	}
	for _, child := range n.Children {
		names = append(names, flagNames(child)...)
	}
	return names
}

// alike says that two names differ in their case, in _ for -, or in one letter too many or too few.
func alike(written, known string) bool {
	a, b := strings.ReplaceAll(strings.ToLower(written), "_", "-"), known
	if len(a) < len(b) {
		a, b = b, a
	}
	if a == b {
		return true
	}
	for i := range a {
		if len(a) == len(b)+1 && a[:i]+a[i+1:] == b {
			return true
		}
	}
	return false
}

// inline writes a list of the settings file as the flag takes it: lines apart, or maps as JSON.
func inline(list []any) (any, error) {
	var lines []string
	for _, one := range list {
		line, ok := one.(string)
		if !ok {
			raw, err := json.Marshal(list)
			return string(raw), err
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, " "), nil
}

func settingsPath(args []string) (path string, asked bool) {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v, true
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1], true
		}
	}
	if v := os.Getenv("MUSA_CONFIG"); v != "" {
		return v, true
	}
	return "musa.yaml", false
}
