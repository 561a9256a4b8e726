package rigs

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Bucket is an empty bucket on a real S3 server of its own.
type Bucket struct {
	URL       string // as the setting "blobs" takes it
	Address   string // host:port of the server, to be declared to egress
	Name      string
	AccessKey string
	SecretKey string
	Dir       string // where the server keeps every byte, old versions too: for raw scans

	t       testing.TB
	program string
	running *exec.Cmd // nil when killed
}

// S3 starts versitygw over a directory of the test, with one bucket in it.
func S3(t testing.TB) *Bucket {
	t.Helper()
	b := &Bucket{
		Address: FreeAddress(t), Name: "musa", AccessKey: "rig", SecretKey: "rig-secret", Dir: t.TempDir(),
		t: t, program: buildTool(t, "github.com/versity/versitygw/cmd/versitygw"),
	}
	b.URL = "s3://" + b.Name + "?region=us-east-1&use_path_style=true&endpoint=" + url.QueryEscape("http://"+b.Address)
	for _, dir := range []string{"objects", "versions"} {
		if err := os.Mkdir(filepath.Join(b.Dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.Start()
	t.Cleanup(b.Kill)
	if _, err := b.Client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &b.Name}); err != nil {
		t.Fatalf("create bucket: %v", err)
	}
	return b
}

// Client speaks to the server directly, for what a test must do behind the product's back.
func (b *Bucket) Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + b.Address), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(b.AccessKey, b.SecretKey, ""),
	})
}

// Kill ends the server as a power cut would, with SIGKILL. What it stored stays.
func (b *Bucket) Kill() {
	if b.running == nil {
		return
	}
	if err := b.running.Process.Kill(); err != nil {
		b.t.Errorf("kill versitygw: %v", err)
	}
	b.running.Wait() // its error is the kill itself
	b.running = nil
}

// Start starts the server after Kill. It returns when it answers.
func (b *Bucket) Start() {
	b.t.Helper()
	if b.running != nil {
		b.t.Fatal("versitygw already runs")
	}
	cmd := exec.Command(b.program, "--quiet", "--port", b.Address, "--health", "/health", "--access", b.AccessKey, "--secret", b.SecretKey,
		"posix", "--versioning-dir", filepath.Join(b.Dir, "versions"), filepath.Join(b.Dir, "objects"))
	// A test binary that is killed takes its servers with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	words, err := os.Create(filepath.Join(b.t.TempDir(), "versitygw.log"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer words.Close()
	cmd.Stdout, cmd.Stderr = words, words
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.running = cmd
	if err := answers(b.t, "http://"+b.Address+"/health"); err != nil {
		said, _ := os.ReadFile(words.Name())
		b.t.Fatalf("versitygw did not start: %v\n%s", err, said)
	}
}

// answers asks until the server does, each time with a connection of its own.
func answers(t testing.TB, url string) error {
	ctx, cancel := context.WithTimeout(t.Context(), readyWait)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext}}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			response.Body.Close()
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}
