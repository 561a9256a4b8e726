package vault

import (
	"encoding/json"
	"fmt"

	"musa/policy"
)

// Reseal closes an item's small record again with other content, under the item's own key.
// The former bytes need a scrub of the database to be gone.
func (v *Vault) Reseal(g policy.Grant, l Locked, content any) ([]byte, error) {
	key, err := v.unlock(g, l)
	if err != nil {
		return nil, err
	}
	defer key.Zero()
	plain, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode record %s: %w", l.ID, err)
	}
	sealed, err := key.SealRecord(l.ID, plain)
	if err != nil {
		return nil, fmt.Errorf("seal record %s: %w", l.ID, err)
	}
	return sealed, nil
}
