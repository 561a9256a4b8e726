package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What stands in the settings file is taken or refused, never passed over: an operator who writes
// `backups:` for `backup:` would find out on the day that they need one.
func TestSettingsFileIsTakenWholeOrRefused(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"polcy: enhancer\n":            "polcy",
		"data: ./x\nbackups: s3://x\n": "backup?",
		"Data: ./x\n":                  "data?",
		"policy: {name: enhancer}\n":   "policy",
	} {
		file := filepath.Join(t.TempDir(), "musa.yaml")
		verifyMust(t, os.WriteFile(file, []byte(text), 0o600))
		for _, command := range []string{"policy show", "version"} {
			var out, errs bytes.Buffer
			code := run(append(strings.Fields(command), "--config", file), &out, &errs)
			if code != 2 || !strings.Contains(errs.String(), says) || strings.Contains(errs.String(), "enhancer") {
				t.Errorf("%q, %s: exit %d: %s", text, command, code, errs.String())
			}
		}
	}
}

// Each command takes its own of one file, and a name without a value is not set.
func TestSettingsFileServesEachCommand(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "musa.yaml")
	verifyMust(t, os.WriteFile(file, []byte("lang: de\nlisten: 127.0.0.1:0\ns3-access-key: x\npolicy:\ndeep: true\nmax-upload: 10\nprovider: [{name: google, id: a, secret: b}]\n"), 0o600))
	var out, errs bytes.Buffer
	if code := run([]string{"policy", "record", "--config", file}, &out, &errs); code != 0 || !strings.Contains(out.String(), "# Verzeichnis") {
		t.Errorf("exit %d: %s%.100s", code, errs.String(), out.String())
	}
}

// A size or a number that serves nobody stops the start, and is named.
func TestServeRefusesSettingsThatServeNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, one := range []string{"max-upload", "max-pixels", "width", "guest-credits"} {
		var out, errs bytes.Buffer
		value := "0"
		if one == "guest-credits" {
			value = "-1" // a guest without credits is an operator's choice
		}
		code := run([]string{"serve", "--data", filepath.Join(dir, "data"), "--keys", filepath.Join(dir, "keys"), "--listen", "127.0.0.1:1", "--" + one + "=" + value}, &out, &errs)
		if code != 2 || !strings.Contains(errs.String(), one+": ") {
			t.Errorf("%s: exit %d: %s", one, code, errs.String())
		}
	}
}
