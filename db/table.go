package db

import "musa"

// Technical marks a table or column that says nothing about a person.
const Technical musa.Category = "technical"

// Table declares what a table holds. Each stands next to its rows' type; a column or
// table without declaration fails the tests.
type Table struct {
	Name     string
	Category musa.Category
	Columns  map[string]musa.Category

	// Owner is the column that names whose a row is; empty where rows have no owner of their own.
	Owner string
	// Edges are the columns that name something else, and what becomes of the row when that
	// something is erased. One without an edge fails the tests.
	Edges []Edge
	// Untold are the columns that name who works here or who reported something: the owner of a row
	// gets all of it but them.
	Untold []string
}

// Edge says what a column names.
type Edge struct {
	Column string
	To     string // the table
	On     Fate
}

// Fate is what becomes of a row, or of its column, when what the column names is erased.
type Fate string

// The fates.
const (
	Follow Fate = "follow" // the row goes, too
	Keep   Fate = "keep"   // the row stays until its own end and names somebody nobody knows
	Detach Fate = "detach" // the row stays and names nobody any more
)

// Tables lists every table of the schema.
func Tables() []Table {
	return []Table{
		subjectTable, subjectKeyTable, sessionTable, assetTable, blobTable, sourceTable, recordTable, secretTable,
		strayTable, jobTable, jobInputTable, accountTable, entryTable, auditTable, headTable, receiptTable,
		logHashTable, checkpointTable, policyTable, adoptionTable, leaseTable, instanceTable, versionsTable,
		roleTable, holdTable, removalTable, journalTable, backupTable, usageTotalTable, usageDayTable,
		addressTable, loginTable, voucherTable, apiKeyTable, limitTable, workspaceTable, memberTable, choiceTable,
		caseTable, threadTable, surveyTable, answerTable, tallyTable, suspensionTable, incidentTable, affectedTable, mailTable, newsTable,
	}
}

// versionsTable is goose's own.
var versionsTable = Table{Name: versionTable, Category: Technical,
	Columns: columns(Technical, "id", "version_id", "is_applied", "tstamp")}

// columns gives one category to several columns.
func columns(c musa.Category, names ...string) map[string]musa.Category {
	m := make(map[string]musa.Category, len(names))
	for _, n := range names {
		m[n] = c
	}
	return m
}
