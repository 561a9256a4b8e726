package queue

import (
	"fmt"
	"regexp"

	"musa"
)

// What may be sent is decided by form, so that no caller can leak by mistake: a word
// of the program's own vocabulary, an id, or a number.
var (
	word  = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	ident = regexp.MustCompile(`^(?:[a-z]{2}_[0-9a-z]{26}|[0-9]{1,20})$`)
)

// Subjects, all below "musa.":
//
//	musa.jobs.<lane>.<job id>   empty; one message per job at most
//	musa.progress.<job id>      JSON of Progress without the id
//	musa.notice.<kind>          JSON array of ids
const (
	jobSubjects      = "musa.jobs."
	progressSubjects = "musa.progress."
	noticeSubjects   = "musa.notice."
)

func checkLane(lane string) error {
	if !word.MatchString(lane) {
		return fmt.Errorf("queue lane is not a lower-case word: %w", musa.ErrInvalid)
	}
	return nil
}

func checkJob(id musa.JobID) error {
	if _, err := musa.ParseJobID(string(id)); err != nil {
		return fmt.Errorf("queue: not a job id: %w", musa.ErrInvalid)
	}
	return nil
}
