package files

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"musa"
)

// problem gives trouble with the disk its words. Other errors (no such blob, a reader's
// own failure) pass as they are.
func problem(root string, err error) error {
	var code, public string
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		code, public = "storage_full", "There is no room left in %s. Free some space or raise its quota; nothing that is stored was lost."
	case errors.Is(err, syscall.EROFS):
		code, public = "storage_read_only", "%s is mounted read-only. Mount it writable, or name another data folder."
	case errors.Is(err, fs.ErrPermission):
		code, public = "storage_denied", "The server may not write in %s. Give the folder to the user that runs the server, or name another data folder."
	case errors.Is(err, syscall.EIO):
		code, public = "storage_failing", "The disk that holds %s reports an error. Check the disk."
	case errors.Is(err, syscall.ENOTDIR):
		code, public = "storage_no_folder", "%s is not a folder. Name another data folder."
	default:
		return err
	}
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: code, Public: fmt.Sprintf(public, root), Cause: err}
}
