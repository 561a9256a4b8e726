package proof_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aws3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"musa"
	"musa/blob/s3"
	"musa/db"
	"musa/musatest/rigs"
	"musa/proof"
)

// inBucket is one fault of a bucket: how it comes there, behind the product's back.
type inBucket struct {
	kind  string
	level proof.Level
	spoil func(t *testing.T, b *rigs.Bucket, name string)
}

func put(t *testing.T, b *rigs.Bucket, name string, data []byte) {
	t.Helper()
	_, err := b.Client().PutObject(t.Context(), &aws3.PutObjectInput{Bucket: &b.Name, Key: &name, Body: bytes.NewReader(data)})
	must(t, err)
}

// got is an object as it lies there.
func got(t *testing.T, b *rigs.Bucket, name string) []byte {
	t.Helper()
	o, err := b.Client().GetObject(t.Context(), &aws3.GetObjectInput{Bucket: &b.Name, Key: &name})
	must(t, err)
	defer o.Body.Close()
	data, err := io.ReadAll(o.Body)
	must(t, err)
	return data
}

var bucketFaults = map[string]inBucket{
	"bytes without a row": {proof.FaultOrphan, proof.Whole, func(t *testing.T, b *rigs.Bucket, _ string) {
		put(t, b, "asset/nobody", append([]byte{1}, noise(90)...))
	}},
	"row without bytes": {proof.FaultLost, proof.Whole, func(t *testing.T, b *rigs.Bucket, name string) {
		_, err := b.Client().DeleteObject(t.Context(), &aws3.DeleteObjectInput{Bucket: &b.Name, Key: &name})
		must(t, err)
	}},
	"bytes cut": {proof.FaultSize, proof.Whole, func(t *testing.T, b *rigs.Bucket, name string) { put(t, b, name, got(t, b, name)[:1000]) }},
	"unfinished write": {proof.FaultPartial, proof.Whole, func(t *testing.T, b *rigs.Bucket, _ string) {
		_, err := b.Client().CreateMultipartUpload(t.Context(), &aws3.CreateMultipartUploadInput{Bucket: &b.Name, Key: aws.String("asset/half")})
		must(t, err)
	}},
	"picture in the bucket": {proof.FaultClear, proof.Deep, func(t *testing.T, b *rigs.Bucket, name string) {
		put(t, b, name, append([]byte("\x89PNG\r\n\x1a\n"), got(t, b, name)[8:]...))
	}},
	"pixels in the bucket": {proof.FaultClear, proof.Deep, func(t *testing.T, b *rigs.Bucket, name string) {
		data := got(t, b, name)
		for i := range 60_000 {
			data[70_000+i] = byte(i / 40)
		}
		put(t, b, name, data)
	}},
	"foreign format in the bucket": {proof.FaultFormat, proof.Deep, func(t *testing.T, b *rigs.Bucket, name string) {
		put(t, b, name, append([]byte{9, 0xfe}, got(t, b, name)[2:]...))
	}},
}

// Every fault that bytes can have is found in a bucket as it is in a folder.
func TestFaultsOfABucket(t *testing.T) {
	t.Parallel()
	s := open(t, db.PostgreSQL)
	s.furnish(t)
	b := rigs.S3(t)
	store, err := s3.New(t.Context(), s3.Config{URL: b.URL, AccessKey: b.AccessKey, SecretKey: b.SecretKey, HTTPClient: http.DefaultClient})
	must(t, err)
	var names []string
	for info, err := range s.blobs.List(t.Context(), "") {
		must(t, err)
		names = append(names, info.Name)
		src, err := s.blobs.Open(t.Context(), info.Name, 0, -1)
		must(t, err)
		_, err = store.Put(t.Context(), info.Name, src)
		must(t, err, src.Close())
	}
	at := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, string(s.active[3:])+"-full") })
	if at < 0 {
		t.Fatalf("no blob of the active asset among %v", names)
	}
	i := proof.New(proof.Config{SQL: s.SQL(), Dialect: s.Dialect(), Blobs: store})
	whole := got(t, b, names[at])
	look := func(t *testing.T, level proof.Level, kind string) bool {
		t.Helper()
		o := s.options()
		// Real time writes an upload's age; what else is late by then is not asked after here.
		o.Level, o.Roots, o.Now = level, nil, max(o.Now, musa.At(time.Now().Add(time.Hour)))
		return slices.ContainsFunc(s.look(t, i, o), func(f proof.Fault) bool { return f.Kind == kind && f.Words != "" })
	}
	for name, f := range bucketFaults {
		t.Run(name, func(t *testing.T) {
			if look(t, f.level, f.kind) {
				t.Fatalf("a clean bucket has %s", f.kind)
			}
			f.spoil(t, b, names[at])
			if !look(t, f.level, f.kind) {
				t.Errorf("%s is not found", f.kind)
			}
			for _, name := range []string{"asset/nobody", "asset/half", names[at]} {
				if err := store.Remove(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
					must(t, err)
				}
			}
			_, err := store.Put(t.Context(), names[at], bytes.NewReader(whole))
			must(t, err)
		})
	}
}
