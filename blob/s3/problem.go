package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"musa"
)

// location is what a URL names.
type location struct {
	bucket, region, endpoint, prefix string
	pathStyle                        bool
}

func (l location) words() string {
	if l.endpoint == "" {
		return l.bucket + " in " + l.region
	}
	return l.bucket + " at " + l.endpoint
}

func invalid(code, public string, args ...any) error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: code, Public: fmt.Sprintf(public, args...)}
}

// parse is strict, so that a misspelt setting is not a silent default.
func parse(raw string) (location, error) {
	const form = "Write s3://BUCKET?region=REGION, and endpoint=http://HOST:PORT for a server that is not Amazon's."
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.Path != "" || u.User != nil || u.Fragment != "" {
		return location{}, invalid("storage_url", "The blob store's URL cannot be read. %s", form)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return location{}, invalid("storage_url", "The parameters of the blob store's URL cannot be read. %s", form)
	}
	l := location{bucket: u.Host, region: "us-east-1"}
	for name := range query {
		value := query.Get(name)
		switch name {
		case "region":
			l.region = value
		case "prefix":
			l.prefix = value
		case "use_path_style":
			l.pathStyle = value == "true"
			if value != "true" && value != "false" {
				return location{}, invalid("storage_url", "In the blob store's URL use_path_style is true or false.")
			}
		case "endpoint":
			at, err := url.Parse(value)
			if err != nil || at.Host == "" || at.User != nil || (at.Scheme != "http" && at.Scheme != "https") {
				return location{}, invalid("storage_url", "The endpoint in the blob store's URL must be http://HOST:PORT or https://HOST.")
			}
			l.endpoint = value
		default:
			return location{}, invalid("storage_url", "The blob store's URL has the parameter %q, which means nothing here. "+
				"Known are region, endpoint, prefix and use_path_style.", name)
		}
	}
	return l, nil
}

// status is the HTTP status that an error came with; 0 if it never got that far.
func status(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// keeps says that the bucket does not let go of bytes, which an erasure must not meet late.
func (s *Store) keeps(cause error) error {
	return &musa.Problem{
		Kind: musa.ErrUnavailable, Code: "storage_keeps",
		Public: fmt.Sprintf("The bucket %s keeps what is deleted, so erased pictures would stay. Switch object lock off, "+
			"and either switch versioning off or allow s3:ListBucketVersions and s3:DeleteObjectVersion.", s.where),
		Cause: cause,
	}
}

func (s *Store) noBucket(cause error) error {
	return &musa.Problem{
		Kind: musa.ErrUnavailable, Code: "storage_no_bucket",
		Public: fmt.Sprintf("There is no bucket %s. Create it, or correct the setting \"blobs\".", s.where), Cause: cause,
	}
}

// code is the error's name in S3's own list; the interface is the SDK's.
func code(err error) string {
	var named interface{ ErrorCode() string }
	if errors.As(err, &named) {
		return named.ErrorCode()
	}
	return ""
}

// problem gives trouble with the server its words. An absent object is fs.ErrNotExist; what
// the caller ended stays the caller's.
func (s *Store) problem(operation string, err error) error {
	var already *musa.Problem
	if errors.As(err, &already) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", operation, err)
	}
	var name, public string
	switch answer := code(err); {
	case answer == "NoSuchBucket":
		return s.noBucket(fmt.Errorf("%s: %w", operation, err))
	case status(err) == http.StatusNotFound:
		return fmt.Errorf("%s: %w", operation, fs.ErrNotExist)
	case answer == "QuotaExceeded", answer == "XMinioStorageFull", status(err) == http.StatusInsufficientStorage:
		name, public = "storage_full", "There is no room left in the bucket %s. Free some space or raise its quota; nothing that is stored was lost."
	case status(err) == http.StatusForbidden, status(err) == http.StatusUnauthorized:
		name, public = "storage_denied", "The bucket %s refuses the access key. Check the key, the server's clock, and that it may read, write, list and delete."
	case status(err) == http.StatusMovedPermanently, status(err) == http.StatusTemporaryRedirect:
		name, public = "storage_region", "The bucket %s lies in another region. Correct the region in the setting \"blobs\"."
	case errors.Is(err, errStuck):
		name, public = "storage_failing", "The server of the bucket %s gives the same page of its listing for ever. Update that server."
	case status(err) == 0:
		name, public = "storage_unreachable", "The server of the bucket %s does not answer. Check that it runs and that the setting \"blobs\" names it."
	default:
		name, public = "storage_failing", "The server of the bucket %s reports an error. Its own log says which."
	}
	return &musa.Problem{
		Kind: musa.ErrUnavailable, Code: name, Public: fmt.Sprintf(public, s.where), Cause: fmt.Errorf("%s: %w", operation, err),
	}
}
