// Package s3 keeps sealed blobs in a bucket of any S3 server.
//
// It promises what blob does: a name is written once (If-None-Match), a blob shows whole
// or not at all, and removing one removes its older versions too, for a delete marker
// leaves the bytes. Where the server will not do that, Check says so before anything is
// stored. It speaks to the server through the HTTP client it is given and takes nothing
// from the environment.
//
// It uses the S3 client itself: a portable layer above it hides versions and
// unfinished uploads, the two places where removed bytes survive.
package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/singleflight"

	"musa"
	"musa/blob"
)

// Config says which bucket, and with whose rights.
type Config struct {
	// URL is s3://BUCKET?region=R, with &endpoint=http://HOST:PORT for a server that is not
	// Amazon's, &use_path_style=true where it wants the bucket in the path, and &prefix=P/ to
	// share a bucket.
	URL       string
	AccessKey string
	SecretKey string
	// HTTPClient makes every connection; it comes from egress.
	HTTPClient *http.Client
}

// Store is a bucket of blobs.
type Store struct {
	client *s3.Client
	bucket string
	prefix string
	where  string             // the bucket in words
	there  singleflight.Group // whether the bucket is
}

// partSize is how much of a blob waits in memory. S3 takes 10,000 parts: 78 GiB.
const partSize = 8 << 20

// undoWait bounds the clean-up after a failed write, which no longer has its caller's time.
const undoWait = 10 * time.Second

// New reads the URL; it does not connect. A Problem of kind ErrInvalid says what is wrong.
func New(_ context.Context, c Config) (*Store, error) {
	at, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	if c.AccessKey == "" || c.SecretKey == "" {
		return nil, invalid("storage_no_key", "The bucket %s needs an access key and a secret key.", at.bucket)
	}
	if c.HTTPClient == nil {
		return nil, errors.New("s3: no HTTP client")
	}
	options := s3.Options{
		Region: at.region, UsePathStyle: at.pathStyle, HTTPClient: c.HTTPClient,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, ""),
		// The seal detects damage. Newer checksums are not understood by every server.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if at.endpoint != "" {
		options.BaseEndpoint = aws.String(at.endpoint)
	}
	return &Store{client: s3.New(options), bucket: at.bucket, prefix: at.prefix, where: at.words()}, nil
}

func (s *Store) key(name string) *string { return aws.String(s.prefix + name) }

// writeMark is metadata that tells a writer its own object: an answer that got lost looks
// like somebody else's object when the request is repeated.
const writeMark = "write"

// Put sends up to partSize at once, more in parts.
func (s *Store) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if err := blob.CheckName(name); err != nil {
		return 0, err
	}
	switch _, err := s.head(ctx, name); {
	case err == nil:
		return 0, fmt.Errorf("put %s: %w", name, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return 0, err
	}
	r = &stoppable{ctx, r}
	// Most blobs are far smaller than a part: what waits grows with them.
	var first bytes.Buffer
	_, err := io.CopyN(&first, r, partSize)
	w := &write{s: s, name: name, mark: rand.Text()}
	switch err {
	case nil:
		return w.parts(ctx, io.MultiReader(&first, r))
	case io.EOF:
		return w.once(ctx, first.Bytes())
	}
	return 0, fmt.Errorf("put %s: %w", name, err)
}

type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// Open asks for a range. Past the end there is nothing, which S3 calls an error.
func (s *Store) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fmt.Errorf("open %s before its start: %w", name, musa.ErrInvalid)
	}
	if n == 0 {
		return s.nothing(ctx, name)
	}
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: s.key(name)}
	if off > 0 || n > 0 {
		in.Range = aws.String("bytes=" + strconv.FormatInt(off, 10) + "-")
	}
	if n > 0 {
		in.Range = aws.String(*in.Range + strconv.FormatInt(off+n-1, 10))
	}
	out, err := s.client.GetObject(ctx, in)
	if status(err) == http.StatusRequestedRangeNotSatisfiable {
		return s.nothing(ctx, name)
	}
	if err != nil {
		return nil, s.problem("open "+name, err)
	}
	if in.Range != nil && out.ContentRange == nil && aws.ToInt64(out.ContentLength) > 0 {
		err := fmt.Errorf("open %s: the server ignores ranges", name)
		return nil, errors.Join(err, out.Body.Close())
	}
	return &content{out.Body, s, name}, nil
}

// content is an object's bytes. A connection that breaks off in them reads as io.ErrUnexpectedEOF,
// which is also what a reader says whose object is too short: it is told apart here.
type content struct {
	io.ReadCloser
	store *Store
	name  string
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = c.store.problem("read "+c.name, err)
	}
	return n, err
}

func (s *Store) nothing(ctx context.Context, name string) (io.ReadCloser, error) {
	if _, err := s.Stat(ctx, name); err != nil {
		return nil, err
	}
	return http.NoBody, nil
}

// Stat tells size and age of an object. A bucket that is not there is trouble, not absence:
// S3 answers both with a bare 404.
func (s *Store) Stat(ctx context.Context, name string) (blob.Info, error) {
	if err := blob.CheckName(name); err != nil {
		return blob.Info{}, err
	}
	info, err := s.head(ctx, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return info, err
	}
	// Who asks while another's question is under way takes its answer: that is as fresh.
	_, lost, _ := s.there.Do("", func() (any, error) {
		return s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket})
	})
	if lost != nil {
		if status(lost) == http.StatusNotFound {
			return info, s.noBucket(lost)
		}
		return info, s.problem("stat bucket", lost)
	}
	return info, err
}

func (s *Store) head(ctx context.Context, name string) (blob.Info, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.key(name)})
	if err != nil {
		return blob.Info{}, s.problem("stat "+name, err)
	}
	return blob.Info{Name: name, Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified)}, nil
}

// List gives the objects, then older versions of them, then uploads that nobody completed.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for _, page := range []func(context.Context, string, func(blob.Info) bool) error{s.objects, s.versions, s.uploads} {
			stopped := false
			err := page(ctx, prefix, func(info blob.Info) bool {
				info.Name = strings.TrimPrefix(info.Name, s.prefix)
				info.Partial = blob.Partial(info.Name)
				stopped = !yield(info, nil)
				return !stopped
			})
			if err != nil {
				yield(blob.Info{}, s.problem("list blobs", err))
				return
			}
			if stopped {
				return
			}
		}
	}
}

func (s *Store) objects(ctx context.Context, prefix string, yield func(blob.Info) bool) error {
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: s.key(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			if !yield(blob.Info{Name: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}) {
				return nil
			}
		}
	}
	return nil
}

func (s *Store) uploads(ctx context.Context, prefix string, yield func(blob.Info) bool) error {
	pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: s.key(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if code(err) == "NoSuchUpload" {
			return nil // how some servers say that there are none
		}
		if err != nil {
			return err
		}
		for _, u := range page.Uploads {
			if !strings.HasPrefix(aws.ToString(u.Key), s.prefix+prefix) {
				continue // some servers do not filter
			}
			name := aws.ToString(u.Key) + uploadMark + aws.ToString(u.UploadId)
			if !yield(blob.Info{Name: name, Modified: aws.ToTime(u.Initiated)}) {
				return nil
			}
		}
	}
	return nil
}

// Check writes a probe, removes it and looks whether the bucket kept it all the same.
func (s *Store) Check(ctx context.Context) error {
	lock, err := s.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &s.bucket})
	if err == nil && lock.ObjectLockConfiguration != nil && lock.ObjectLockConfiguration.ObjectLockEnabled == types.ObjectLockEnabledEnabled {
		return s.keeps(errors.New("object lock is on"))
	}
	name := blob.ProbePrefix + strings.ToLower(rand.Text())
	if _, err := s.Put(ctx, name, strings.NewReader("probe")); err != nil {
		return err
	}
	if err := s.Remove(ctx, name); err != nil {
		return err
	}
	for info, err := range s.List(ctx, name) {
		if err != nil {
			return err
		}
		return s.keeps(fmt.Errorf("the probe is still listed, %d bytes", info.Size))
	}
	return nil
}
