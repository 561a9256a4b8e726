package db_test

import (
	"strings"
	"testing"

	"musa/db"
)

// What is asked every few seconds reads no table from end to end, and nothing is sorted for it.
func TestSweepsReadByIndex(t *testing.T) {
	t.Parallel()
	s := open(t, db.SQLite)
	for query, index := range map[string]string{
		"SELECT * FROM subjects WHERE state IN ('active', 'suspended') AND kind = 'guest' AND tier = 'guest' AND last_seen <= 9 ORDER BY last_seen LIMIT 2": "subjects_seen",
		`SELECT c.* FROM choices AS c LEFT JOIN assets AS a ON a.id = c.item
			WHERE c.item <> '' AND c.superseded = 0 AND (a.id IS NULL OR a.state <> 'active') ORDER BY c.id LIMIT 2`: "choices_items",
		`SELECT c.id FROM choices AS c LEFT JOIN subjects AS s ON s.id = c.subject
			WHERE c.superseded > 0 AND c.superseded < 9 AND s.tier = 'member' ORDER BY c.superseded LIMIT 2`: "choices_superseded",
		"SELECT id FROM mails WHERE created < 9 OR (sent > 0 AND sent < 9) LIMIT 2":    "mails_sent",
		"SELECT c.id FROM cases AS c WHERE c.received < 9 ORDER BY c.received LIMIT 2": "cases_received",
	} {
		plan := s.plan(t, query)
		if !strings.Contains(plan, index) || strings.Contains(plan, "TEMP B-TREE FOR ORDER") {
			t.Errorf("%s is read so:\n%s", query, plan)
		}
	}
}

func (s *store) plan(t *testing.T, query string) string {
	t.Helper()
	rows, err := s.outside(t).QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(step + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
