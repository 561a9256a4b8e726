package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// write is one Put on its way.
type write struct {
	s    *Store
	name string
	mark string
}

func (w *write) once(ctx context.Context, content []byte) (int64, error) {
	_, err := w.s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &w.s.bucket, Key: w.s.key(w.name), Body: bytes.NewReader(content), IfNoneMatch: aws.String("*"),
		ContentLength: aws.Int64(int64(len(content))), Metadata: map[string]string{writeMark: w.mark},
	})
	if err := w.settle(ctx, err); err != nil {
		return 0, err
	}
	return int64(len(content)), nil
}

func (w *write) parts(ctx context.Context, r io.Reader) (int64, error) {
	upload, err := w.s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &w.s.bucket, Key: w.s.key(w.name), Metadata: map[string]string{writeMark: w.mark},
	})
	if err != nil {
		return 0, w.s.problem("put "+w.name, err)
	}
	size, err := w.upload(ctx, r, upload.UploadId)
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWait)
		defer cancel()
		if gone := w.s.abort(undo, *w.s.key(w.name), *upload.UploadId); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return 0, err
	}
	return size, nil
}

func (w *write) upload(ctx context.Context, r io.Reader, id *string) (size int64, err error) {
	var parts []types.CompletedPart
	var buf bytes.Buffer
	for last := false; !last; {
		buf.Reset()
		// Not ReadFull: a source that broke off says io.ErrUnexpectedEOF, too.
		n, err := io.CopyN(&buf, r, partSize)
		last = err == io.EOF
		if err != nil && !last {
			return 0, fmt.Errorf("put %s: %w", w.name, err)
		}
		if n == 0 {
			break
		}
		number := aws.Int32(int32(len(parts) + 1))
		part, err := w.s.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &w.s.bucket, Key: w.s.key(w.name), UploadId: id, PartNumber: number,
			Body: bytes.NewReader(buf.Bytes()), ContentLength: aws.Int64(n),
		})
		if err != nil {
			return 0, w.s.problem("put "+w.name, err)
		}
		parts, size = append(parts, types.CompletedPart{ETag: part.ETag, PartNumber: number}), size+n
	}
	_, err = w.s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.s.bucket, Key: w.s.key(w.name), UploadId: id, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return size, w.settle(ctx, err)
}

// settle judges the answer to the request that makes the blob visible. A lost answer says
// nothing about what happened, so the object itself is asked whose it is.
func (w *write) settle(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWait)
	defer cancel()
	refused := status(err) == http.StatusPreconditionFailed || status(err) == http.StatusConflict
	head, lost := w.s.client.HeadObject(after, &s3.HeadObjectInput{Bucket: &w.s.bucket, Key: w.s.key(w.name)})
	switch {
	case lost == nil && head.Metadata[writeMark] == w.mark && ctx.Err() == nil:
		return nil
	case lost == nil && head.Metadata[writeMark] == w.mark:
		// Cancelled, and stored all the same: after an error the name must show nothing.
		return errors.Join(w.s.problem("put "+w.name, err), w.s.Remove(after, w.name))
	case lost == nil && refused:
		return fmt.Errorf("put %s: %w", w.name, fs.ErrExist)
	}
	return w.s.problem("put "+w.name, err)
}
