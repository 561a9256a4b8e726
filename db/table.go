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
}

// Tables lists every table of the schema.
func Tables() []Table {
	return []Table{
		subjectTable, subjectKeyTable, sessionTable, assetTable, blobTable, sourceTable, recordTable, secretTable,
		jobTable, jobInputTable, accountTable, entryTable, auditTable, headTable, receiptTable,
		logHashTable, checkpointTable, policyTable, leaseTable, instanceTable, versionsTable,
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
