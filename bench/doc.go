// Package bench measures Musa against the goals that doc/benchmarks.md records. It holds
// nothing but benchmarks; `make bench` runs them all in some minutes.
//
// It promises that a figure which is a ratio has both its sides measured in one run, in
// turns, so that a busy machine troubles both alike, and that nothing is switched off for
// a measurement: the databases and stores sync as they do in service.
//
// It does not judge: figures of a shared machine vary, so no benchmark fails for being
// slow. It fails when what it measures does not work.
package bench
