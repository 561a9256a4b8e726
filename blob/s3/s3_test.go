package s3_test

import (
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"musa"
	"musa/blob/blobtest"
	"musa/blob/s3"
	"musa/egress"
	"musa/musatest/rigs"
)

// connect opens the bucket as a studio does: through egress, which knows its server alone.
func connect(t testing.TB, b *rigs.Bucket, change func(*s3.Config)) *s3.Store {
	t.Helper()
	out, err := egress.New(egress.Config{Allow: []string{b.Address}})
	if err != nil {
		t.Fatal(err)
	}
	client := out.HTTPClient("blobs")
	t.Cleanup(client.CloseIdleConnections)
	c := s3.Config{URL: b.URL, AccessKey: b.AccessKey, SecretKey: b.SecretKey, HTTPClient: client}
	if change != nil {
		change(&c)
	}
	s, err := s3.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rig(b *rigs.Bucket, s *s3.Store, prefix string) blobtest.Rig {
	return blobtest.Rig{
		Store:   s,
		Partial: func(t testing.TB, name string) { leavePartial(t, b, prefix+name) },
		Empty:   func(t testing.TB) { wantNothing(t, b) },
	}
}

// leavePartial begins an upload in parts that nobody completes.
func leavePartial(t testing.TB, b *rigs.Bucket, key string) {
	t.Helper()
	client := b.Client()
	upload, err := client.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: &b.Name, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.UploadPart(t.Context(), &sdk.UploadPartInput{
		Bucket: &b.Name, Key: &key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("half a picture"),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wantNothing asks the server in every way, and looks at its disk where it has one.
func wantNothing(t testing.TB, b *rigs.Bucket) {
	t.Helper()
	client := b.Client()
	objects, err := client.ListObjectsV2(t.Context(), &sdk.ListObjectsV2Input{Bucket: &b.Name})
	if err != nil || len(objects.Contents) != 0 {
		t.Fatalf("objects left: %+v, %v", objects, err)
	}
	versions, err := client.ListObjectVersions(t.Context(), &sdk.ListObjectVersionsInput{Bucket: &b.Name})
	if err != nil || len(versions.Versions)+len(versions.DeleteMarkers) != 0 {
		t.Fatalf("versions left: %+v, %v", versions, err)
	}
	uploads, err := client.ListMultipartUploads(t.Context(), &sdk.ListMultipartUploadsInput{Bucket: &b.Name})
	var answer interface{ ErrorCode() string } // gofakes3 says so instead of listing none
	if none := errors.As(err, &answer) && answer.ErrorCode() == "NoSuchUpload"; !none && (err != nil || len(uploads.Uploads) != 0) {
		t.Fatalf("uploads left: %+v, %v", uploads, err)
	}
	if b.Dir == "" {
		return
	}
	err = filepath.WalkDir(b.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > 0 {
			t.Errorf("bytes left on the server's disk: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStoreOnARealServer(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t testing.TB) blobtest.Rig {
		b := rigs.S3(t)
		return rig(b, connect(t, b, nil), "")
	})
}

func TestStoreOnABucketWithVersions(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t testing.TB) blobtest.Rig {
		b := rigs.S3(t)
		keepVersions(t, b)
		return rig(b, connect(t, b, nil), "")
	})
}

func TestStoreUnderAPrefixInTheProcess(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t testing.TB) blobtest.Rig {
		fake := gofakes3.New(s3mem.New(), gofakes3.WithLogger(gofakes3.StdLog(log.New(nowhere{}, "", 0))))
		// It looks for an object and writes it in two steps: one request at a time, then.
		var one sync.Mutex
		handler := fake.Server()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			one.Lock()
			defer one.Unlock()
			handler.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		b := &rigs.Bucket{Address: server.Listener.Addr().String(), Name: "musa", AccessKey: "a", SecretKey: "b"}
		b.URL = "s3://musa?use_path_style=true&prefix=studio/&endpoint=" + url.QueryEscape(server.URL)
		if _, err := b.Client().CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: &b.Name}); err != nil {
			t.Fatal(err)
		}
		return rig(b, connect(t, b, nil), "studio/")
	})
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

func keepVersions(t testing.TB, b *rigs.Bucket) {
	t.Helper()
	_, err := b.Client().PutBucketVersioning(t.Context(), &sdk.PutBucketVersioningInput{
		Bucket: &b.Name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A process that dies between the delete marker and the purge must not leave bytes that a
// second removal takes for gone.
func TestRemovalGoesOnAfterADeleteMarker(t *testing.T) {
	t.Parallel()
	b := rigs.S3(t)
	keepVersions(t, b)
	s := connect(t, b, nil)
	blobtest.Put(t, s, "as_x/full", blobtest.Noise(1, 9000))
	if _, err := b.Client().DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: &b.Name, Key: aws.String("as_x/full")}); err != nil {
		t.Fatal(err)
	}
	left := blobtest.Names(t, s, "")
	if len(left) != 2 {
		t.Fatalf("the version and its marker are not both listed: %v", left)
	}
	for name, info := range left {
		if !info.Partial {
			t.Errorf("%s is listed as whole", name)
		}
	}
	if err := s.Remove(t.Context(), "as_x/full"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "as_x/full"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("removed once more: %v", err)
	}
	wantNothing(t, b)
}

// deaf loses the answers to requests that it picks, after the server carried them out.
type deaf struct {
	next http.RoundTripper
	pick func(*http.Request) bool
	lost atomic.Int32
}

func (d *deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := d.next.RoundTrip(r)
	if err == nil && d.pick(r) && d.lost.Add(1) == 1 {
		response.Body.Close()
		return nil, errors.New("connection reset")
	}
	return response, err
}

// The repeated request meets the object that the first one made: it is no other writer's.
func TestALostAnswerIsNotAnotherWriter(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		size int
		pick func(*http.Request) bool
	}{
		"at once":  {10, func(r *http.Request) bool { return r.Method == http.MethodPut }},
		"in parts": {9 << 20, func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := rigs.S3(t)
			ear := &deaf{pick: c.pick}
			s := connect(t, b, func(c *s3.Config) { ear.next = c.HTTPClient.Transport; c.HTTPClient.Transport = ear })
			blobtest.Put(t, s, "as_x/full", blobtest.Noise(1, c.size))
			if ear.lost.Load() < 1 {
				t.Fatal("no answer was lost")
			}
			if got := blobtest.Get(t, s, "as_x/full", 0, -1); len(got) != c.size {
				t.Fatalf("%d bytes", len(got))
			}
		})
	}
}

// A body that breaks off was once taken for the end of a short object: a copy of it was kept as
// whole, a search of it was clean, and a reader of seals spoke of changed bytes.
func TestABodyThatBreaksOffIsTrouble(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Write(make([]byte, 10))
	}))
	t.Cleanup(server.Close)
	b := &rigs.Bucket{Address: server.Listener.Addr().String(), AccessKey: "a", SecretKey: "b"}
	b.URL = "s3://musa?use_path_style=true&endpoint=" + url.QueryEscape(server.URL)
	src, err := connect(t, b, nil).Open(t.Context(), "as_x/full", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	got, err := io.ReadAll(src)
	if len(got) != 10 || err == io.ErrUnexpectedEOF {
		t.Errorf("%d bytes, then %v", len(got), err)
	}
	wantProblem(t, "read", err, "storage_unreachable")
}

func TestTroubleHasWords(t *testing.T) {
	t.Parallel()
	b := rigs.S3(t)
	for what, c := range map[string]struct {
		change func(*s3.Config)
		code   string
	}{
		"wrong key":      {func(c *s3.Config) { c.SecretKey = "other" }, "storage_denied"},
		"no bucket":      {func(c *s3.Config) { c.URL = strings.Replace(c.URL, "//musa", "//other", 1) }, "storage_no_bucket"},
		"nobody listens": {func(c *s3.Config) { c.URL = strings.Replace(c.URL, url.QueryEscape(b.Address), "localhost:1", 1) }, "storage_unreachable"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := connect(t, b, c.change)
			if what == "nobody listens" {
				out, err := egress.New(egress.Config{Allow: []string{"localhost:1"}})
				if err != nil {
					t.Fatal(err)
				}
				s = connect(t, b, func(k *s3.Config) { c.change(k); k.HTTPClient = out.HTTPClient("blobs") })
			}
			_, put := s.Put(t.Context(), "as_x/full", strings.NewReader("x"))
			_, open := s.Open(t.Context(), "as_x/full", 0, -1)
			_, stat := s.Stat(t.Context(), "as_x/full")
			var list error
			for _, list = range s.List(t.Context(), "") {
			}
			for operation, err := range map[string]error{
				"put": put, "open": open, "stat": stat, "list": list,
				"check": s.Check(t.Context()), "remove": s.Remove(t.Context(), "as_x/full"),
			} {
				wantProblem(t, operation, err, c.code)
			}
		})
	}
	// What is not declared never leaves, and says which rule it broke.
	s := connect(t, b, func(c *s3.Config) { c.URL = strings.Replace(c.URL, url.QueryEscape(b.Address), "localhost:1", 1) })
	if err := s.Check(t.Context()); !errors.Is(err, musa.ErrRefused) {
		t.Errorf("an undeclared server: %v", err)
	}
}

func wantProblem(t *testing.T, operation string, err error, code string) {
	t.Helper()
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != code || !errors.Is(err, musa.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: want %s, got: %v", operation, code, err)
	} else if strings.Contains(p.Public, "secret") || p.Public == "" {
		t.Errorf("%s says %q", operation, p.Public)
	}
}

func TestBlobsSurviveAKilledServer(t *testing.T) {
	t.Parallel()
	b := rigs.S3(t)
	s := connect(t, b, nil)
	blobtest.Put(t, s, "as_x/full", blobtest.Noise(1, 10<<20))
	b.Kill()
	wantProblem(t, "check", s.Check(t.Context()), "storage_unreachable")
	b.Start()
	if got := blobtest.Get(t, s, "as_x/full", 0, -1); len(got) != 10<<20 {
		t.Fatalf("%d bytes", len(got))
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Object lock refuses what erasure needs, so the store is refused beforehand.
func TestLockedBucketIsRefused(t *testing.T) {
	t.Parallel()
	b := rigs.S3(t)
	b.URL = strings.Replace(b.URL, "//"+b.Name, "//locked", 1)
	b.Name = "locked"
	_, err := b.Client().CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: &b.Name, ObjectLockEnabledForBucket: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, "check", connect(t, b, nil).Check(t.Context()), "storage_keeps")
	wantNothing(t, b)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "file:///x", "s3://", "s3://b/path", "s3://key:secret@b", "s3://b?regoin=x", "s3://b?use_path_style=yes",
		"s3://b?endpoint=127.0.0.1:9", "s3://b?endpoint=http://u:secret@h", "s3://b?%zz", "s3://b#x",
	} {
		_, err := s3.New(t.Context(), s3.Config{URL: raw, AccessKey: "a", SecretKey: "b", HTTPClient: http.DefaultClient})
		var p *musa.Problem
		if !errors.Is(err, musa.ErrInvalid) || !errors.As(err, &p) || strings.Contains(p.Public+err.Error(), "secret") {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if _, err := s3.New(t.Context(), s3.Config{URL: "s3://b", HTTPClient: http.DefaultClient}); !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("no key: %v", err)
	}
	if _, err := s3.New(t.Context(), s3.Config{URL: "s3://b", AccessKey: "a", SecretKey: "b"}); err == nil {
		t.Error("without a client it would dial past egress")
	}
}

// A server that gave its first page of versions for ever once hung a listing.
func TestListingThatDoesNotGoOnIsAnError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `<ListBucketResult/>`
		switch q := r.URL.Query(); {
		case q.Has("versioning"):
			answer = `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`
		case q.Has("versions"):
			answer = `<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker></ListVersionsResult>`
		}
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	b := &rigs.Bucket{Address: server.Listener.Addr().String(), AccessKey: "a", SecretKey: "b"}
	b.URL = "s3://musa?use_path_style=true&endpoint=" + url.QueryEscape(server.URL)
	var last error
	for _, last = range connect(t, b, nil).List(t.Context(), "") {
	}
	wantProblem(t, "list", last, "storage_failing")
}
