package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"musa"
)

// Span is a length of time as the document writes it: 0s, 24h, 12mo, indefinite.
// Months and years are those of the calendar, so a span is only a time.Duration once
// it has a beginning. The zero Span means that the document says nothing.
type Span struct {
	count int
	unit  string
	said  bool
}

const (
	unitSecond = "s"
	unitMinute = "m"
	unitHour   = "h"
	unitDay    = "d"
	unitMonth  = "mo"
	unitYear   = "y"
	forever    = "indefinite"
)

// longest bounds every unit at about a century: what lasts longer is "indefinite" and has
// to be called so.
var longest = map[string]int{
	unitSecond: 1e9, unitMinute: 5e7, unitHour: 876_000, unitDay: 36_500, unitMonth: 1200, unitYear: 100,
}

// ParseSpan reads a length of time: a whole number and s, m, h, d, mo or y, or the word
// "indefinite". The error says what was expected and never repeats the input.
func ParseSpan(s string) (Span, error) {
	var span Span
	if reason, remedy := span.parse(s); reason != "" {
		return Span{}, fmt.Errorf("%s: %s: %w", reason, remedy, musa.ErrInvalid)
	}
	return span, nil
}

func (s *Span) parse(text string) (reason, remedy string) {
	const write = "write a whole number and s, m, h, d, mo or y, such as 24h or 12mo"
	if text == forever {
		*s = Span{unit: forever, said: true}
		return "", ""
	}
	digits := strings.TrimRight(text, "smhdoy")
	unit := text[len(digits):]
	limit, known := longest[unit]
	if !known {
		return "not a duration that a clock can measure", write
	}
	for _, r := range digits {
		if r < '0' || r > '9' {
			return "not a duration that a clock can measure", write
		}
	}
	count, err := strconv.Atoi(digits)
	if err != nil {
		return "not a duration that a clock can measure", write
	}
	if count > limit {
		return "longer than a century", "write a shorter time, or `indefinite` where nothing personal is held"
	}
	*s = Span{count: count, unit: unit, said: true}
	return "", ""
}

// Said tells a span of the document from one that it does not mention.
func (s Span) Said() bool { return s.said }

// Indefinite says that the span has no end.
func (s Span) Indefinite() bool { return s.unit == forever }

// String is the span as the document writes it.
func (s Span) String() string {
	switch {
	case !s.said:
		return ""
	case s.unit == forever:
		return forever
	default:
		return strconv.Itoa(s.count) + s.unit
	}
}

// Duration is the nominal length, with months of 30 and years of 365 days. It serves to
// compare spans and to match a person's choice; ends are computed by After.
func (s Span) Duration() time.Duration {
	n := time.Duration(s.count)
	switch s.unit {
	case unitSecond:
		return n * time.Second
	case unitMinute:
		return n * time.Minute
	case unitHour:
		return n * time.Hour
	case unitDay:
		return n * 24 * time.Hour
	case unitMonth:
		return n * 30 * 24 * time.Hour
	case unitYear:
		return n * 365 * 24 * time.Hour
	}
	return 0
}

// After is the instant at which a span that begins at m is over. A month that lacks the
// day ends on its last one: 31 January and 1mo is 28 February. It must not be asked of an
// indefinite span, which has no such instant; it gives 0 there.
func (s Span) After(m musa.Millis) musa.Millis {
	months := 0
	switch s.unit {
	case unitMonth:
		months = s.count
	case unitYear:
		months = 12 * s.count
	case forever:
		return 0
	default:
		return m.Add(s.Duration())
	}
	t := m.Time()
	year, month, day := t.Date()
	hour, minute, sec := t.Clock()
	over := time.Date(year, month+time.Month(months), day, hour, minute, sec, t.Nanosecond(), time.UTC)
	if over.Day() != day {
		over = over.AddDate(0, 0, -over.Day())
	}
	return musa.At(over)
}

var unitWords = map[string]string{
	unitSecond: "second", unitMinute: "minute", unitHour: "hour",
	unitDay: "day", unitMonth: "month", unitYear: "year",
}

// Words is the span in plain English: "24 hours", "1 month", "at once" for nothing.
func (s Span) Words() string {
	switch {
	case s.unit == forever:
		return "without end"
	case s.count == 0:
		return "at once"
	case s.count == 1:
		return "1 " + unitWords[s.unit]
	}
	return strconv.Itoa(s.count) + " " + unitWords[s.unit] + "s"
}
