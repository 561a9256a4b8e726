package proof

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"musa"
)

// FaultStanding is a row of an owner by which something is decided that they refused.
const FaultStanding = "standing_wrong"

// standing is what an owner's row lets happen, and what they said and what was decided.
type standing struct {
	id                   string
	consents, objections []string
	restricted, unlogged bool
	words                map[string]said // by name, or name:item
	refused              []string        // purposes that may not be served
	frozen               bool            // by a case
}

// said is a last word.
type said struct {
	given   bool
	expires musa.Millis
}

// standings compares what is decided by with choices and cases. A yes that counts for less than
// was said harms nobody; one that counts for more does. A closed owner's row was reduced.
func (r *round) standings(ctx context.Context, found func(Fault)) error {
	var of *standing
	judge := func() {
		if of != nil {
			r.judge(*of, found)
		}
	}
	err := r.walk(ctx, "standings", `WITH page AS (SELECT id, consents, objections, restricted, unlogged FROM subjects
			WHERE state IN ('active', 'suspended') AND id > $1 ORDER BY id LIMIT $2)
		SELECT p.id, p.consents, p.objections, p.restricted, p.unlogged, '', '', '', 0, 0 FROM page AS p
		UNION ALL SELECT p.id, '', '', 0, 0, 'choice', c.name, c.item, CASE WHEN c.given THEN 1 ELSE 0 END, c.expires
			FROM page AS p JOIN choices AS c ON c.subject = p.id AND c.superseded = 0 LEFT JOIN assets AS a ON a.id = c.item
			WHERE c.item = '' OR a.state = 'active'
		UNION ALL SELECT p.id, '', '', 0, 0, c.outcome, c.purpose, '', 0, 0
			FROM page AS p JOIN cases AS c ON c.subject = p.id AND c.state = 'answered' AND c.outcome IN ('restricted', 'upheld')
		UNION ALL SELECT p.id, '', '', 0, 0, 'upheld', 'train', '', 0, 0
			FROM page AS p JOIN workspaces AS w ON w.subject = p.id AND w.no_training > 0
		ORDER BY 1, 6`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var id, consents, objections, what, name, item string
			var restricted, unlogged, expires musa.Millis
			var given int
			if err := rows.Scan(&id, &consents, &objections, &restricted, &unlogged, &what, &name, &item, &given, &expires); err != nil {
				return nil, err
			}
			if what == "" { // the owner's own row comes first
				judge()
				of = &standing{id: id, consents: strings.Fields(consents), objections: strings.Fields(objections),
					restricted: restricted > 0, unlogged: unlogged > 0, words: map[string]said{}}
				return []any{id}, nil
			}
			of.heard(what, name, item, said{given == 1, expires})
			return []any{id}, nil
		})
	judge()
	return err
}

// heard takes in one choice or decision.
func (s *standing) heard(what, name, item string, w said) {
	switch {
	case what == "restricted":
		s.frozen = true
	case what == "upheld" && name != "":
		s.refused = append(s.refused, name)
	case what == "choice" && item != "":
		s.words[name+":"+item] = w
	case what == "choice":
		s.words[name] = w
	}
}

func (r *round) judge(s standing, found func(Fault)) {
	fault := func(words string) {
		found(Fault{Kind: FaultStanding, Where: "subjects", ID: s.id, Words: words})
	}
	for _, c := range s.consents {
		c, end, _ := strings.Cut(c, "@") // when it runs out
		w, known := s.words[c]
		_, item, one := strings.Cut(c, ":")
		switch {
		case strings.HasPrefix(c, "-"): // a no to one thing
		case known && !w.given:
			fault("a consent counts that was refused or withdrawn")
		case one && item != "": // what is gone is said nothing about any more
		case !known:
			fault("a consent counts that nobody gave")
		case w.expires > 0 && w.expires < r.ago(housework):
			fault("a consent counts whose time is over")
		case end != "" && end != strconv.FormatInt(int64(w.expires), 10):
			fault("a consent counts for another time than it was given for")
		}
	}
	for _, p := range s.refused {
		if !slices.Contains(s.objections, p) {
			fault("an objection to a purpose was upheld, or settled by a workspace, and does not count")
		}
	}
	if s.frozen && !s.restricted {
		fault("its use was restricted, and that does not count")
	}
	if log, known := s.words["interaction_log"]; known && !log.given && !s.unlogged {
		fault("its interaction log was switched off, and goes on")
	}
}
