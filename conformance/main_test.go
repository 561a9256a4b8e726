package conformance_test

import (
	"testing"

	"musa/musatest/nodes"
)

func TestMain(m *testing.M) { nodes.Main(m) }
