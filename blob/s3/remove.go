package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"musa"
	"musa/blob"
)

// Names of what is left of a blob: "NAME+u.UPLOAD" for an unfinished upload,
// "NAME+v.VERSION" for an older version.
const (
	uploadMark  = blob.PartialMark + "u."
	versionMark = blob.PartialMark + "v."
)

// Remove deletes the object and, where the bucket keeps versions, each of them.
func (s *Store) Remove(ctx context.Context, name string) error {
	if whole, left, partial := strings.Cut(name, blob.PartialMark); partial {
		return s.removePartial(ctx, whole, blob.PartialMark+left)
	}
	if err := blob.CheckName(name); err != nil {
		return err
	}
	_, err := s.head(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		// A crash after the delete marker leaves versions behind: go on with them.
		n, err := s.purge(ctx, name)
		if err == nil && n == 0 {
			err = fmt.Errorf("remove %s: %w", name, fs.ErrNotExist)
		}
		return err
	}
	if err != nil {
		return err
	}
	out, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: s.key(name)})
	if err != nil {
		return s.problem("remove "+name, err)
	}
	if out.VersionId == nil && out.DeleteMarker == nil {
		return nil // the bucket keeps no versions
	}
	_, err = s.purge(ctx, name)
	return err
}

// deletions is how many objects one request may name.
const deletions = 1000

// RemoveAll deletes the objects with a request for each thousand. Where the bucket keeps
// versions it goes on one by one.
func (s *Store) RemoveAll(ctx context.Context, names []string) map[string]error {
	left := map[string]error{}
	var whole []string
	for _, name := range names {
		if err := blob.CheckName(name); err != nil {
			left[name] = err
			continue
		}
		whole = append(whole, name)
	}
	for some := range slices.Chunk(whole, deletions) {
		s.deleteSome(ctx, some, left)
	}
	return left
}

func (s *Store) deleteSome(ctx context.Context, names []string, left map[string]error) {
	objects := make([]types.ObjectIdentifier, len(names))
	for i, name := range names {
		objects[i].Key = s.key(name)
	}
	out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &s.bucket, Delete: &types.Delete{Objects: objects}})
	if code := status(err); code == http.StatusNotImplemented || code == http.StatusMethodNotAllowed {
		for _, name := range names {
			if err := s.Remove(ctx, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				left[name] = err
			}
		}
		return
	}
	if err != nil {
		for _, name := range names {
			left[name] = s.problem("remove "+name, err)
		}
		return
	}
	for _, e := range out.Errors {
		if name := strings.TrimPrefix(aws.ToString(e.Key), s.prefix); aws.ToString(e.Code) != "NoSuchKey" {
			left[name] = s.problem("remove "+name, fmt.Errorf("the server answers %s: %w", aws.ToString(e.Code), musa.ErrUnavailable))
		}
	}
	for _, d := range out.Deleted {
		if d.VersionId == nil && d.DeleteMarker == nil {
			continue // the bucket keeps no versions
		}
		name := strings.TrimPrefix(aws.ToString(d.Key), s.prefix)
		if _, err := s.purge(ctx, name); err != nil {
			left[name] = err
		}
	}
}

func (s *Store) removePartial(ctx context.Context, whole, left string) error {
	if err := blob.CheckName(whole); err != nil {
		return err
	}
	if id, ok := strings.CutPrefix(left, uploadMark); ok && id != "" {
		return s.abort(ctx, s.prefix+whole, id)
	}
	if id, ok := strings.CutPrefix(left, versionMark); ok && id != "" {
		return s.removeVersion(ctx, s.prefix+whole, id)
	}
	return fmt.Errorf("malformed partial name: %w", musa.ErrInvalid)
}

func (s *Store) abort(ctx context.Context, key, id string) error {
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &key, UploadId: &id})
	if err != nil {
		return s.problem("abort upload", err)
	}
	return nil
}

func (s *Store) removeVersion(ctx context.Context, key, id string) error {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key, VersionId: &id})
	if status(err) == http.StatusForbidden {
		return s.keeps(err)
	}
	if err != nil {
		return s.problem("remove version", err)
	}
	return nil
}

// version is one entry of a bucket that keeps what is deleted: bytes, or a delete marker.
type version struct {
	key, id string
	info    blob.Info
	latest  bool
	marker  bool
}

// everyVersion walks the versions under a key's prefix. A server that knows none has none.
func (s *Store) everyVersion(ctx context.Context, prefix string, visit func(version) error) error {
	pages := s3.NewListObjectVersionsPaginator(s.client, &s3.ListObjectVersionsInput{Bucket: &s.bucket, Prefix: &prefix})
	before := ""
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		switch status(err) {
		case http.StatusNotImplemented, http.StatusMethodNotAllowed:
			return nil
		case http.StatusForbidden:
			return s.keeps(err)
		}
		if err != nil {
			return err
		}
		// Some servers give the same page for ever; a listing that ends early hides bytes.
		next := aws.ToString(page.NextKeyMarker) + "\x00" + aws.ToString(page.NextVersionIdMarker)
		if aws.ToBool(page.IsTruncated) && next == before {
			return errStuck
		}
		before = next
		for _, v := range page.Versions {
			found := version{key: aws.ToString(v.Key), id: aws.ToString(v.VersionId), latest: aws.ToBool(v.IsLatest)}
			found.info.Size, found.info.Modified = aws.ToInt64(v.Size), aws.ToTime(v.LastModified)
			if err := visit(found); err != nil {
				return err
			}
		}
		for _, m := range page.DeleteMarkers {
			found := version{key: aws.ToString(m.Key), id: aws.ToString(m.VersionId), latest: aws.ToBool(m.IsLatest), marker: true}
			found.info.Modified = aws.ToTime(m.LastModified)
			if err := visit(found); err != nil {
				return err
			}
		}
	}
	return nil
}

// purge deletes every version of a blob and returns how many there were. The markers go
// last: a purge that is broken off must still find the versions.
func (s *Store) purge(ctx context.Context, name string) (int, error) {
	key := s.prefix + name
	var ids, markers []string
	err := s.everyVersion(ctx, key, func(v version) error {
		switch {
		case v.key != key:
		case v.marker:
			markers = append(markers, v.id)
		default:
			ids = append(ids, v.id)
		}
		return nil
	})
	if err != nil {
		return 0, s.problem("remove "+name, err)
	}
	ids = append(ids, markers...)
	for _, id := range ids {
		if err := s.removeVersion(ctx, key, id); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	return len(ids), nil
}

var (
	errStop  = errors.New("stop")
	errStuck = errors.New("the listing of versions does not go on")
)

// versions lists what lies behind the objects, where the bucket keeps or ever kept versions.
func (s *Store) versions(ctx context.Context, prefix string, yield func(blob.Info) bool) error {
	kept, err := s.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &s.bucket})
	switch status(err) {
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		return nil
	case http.StatusForbidden: // not ours to know: the versions themselves tell
	default:
		if err != nil || kept.Status == "" {
			return err
		}
	}
	err = s.everyVersion(ctx, s.prefix+prefix, func(v version) error {
		if v.latest && !v.marker {
			return nil // objects has shown it
		}
		v.info.Name = v.key + versionMark + v.id
		if !yield(v.info) {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}
