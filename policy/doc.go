// Package policy is the privacy policy as a program: it parses the document, finds
// what contradicts itself in it, decides every "may we?", computes when an item ends over
// all versions that were taken up, and renders the public page, the differences between two
// versions in words, the record of processing and the processing agreement. The language
// itself it publishes as a JSON Schema.
//
// It promises three things. What the document does not allow does not happen: an
// undeclared purpose, category or role is refused, and the zero Grant opens nothing.
// Every fault of a document names its line, its path, the reason and the way out. And
// every sentence of the page cites the path of the line that it was rendered from.
//
// The package is pure: it does no I/O, reads no clock and starts no goroutine. It does
// not keep versions, store ends or carry anything out; those who do ask it first.
package policy
