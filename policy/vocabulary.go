package policy

import (
	"regexp"

	"musa"
)

// The words that a document may use. The fields of its types name a list in the tag `words`,
// which Lint and Schema hold them to, or in `refers`, where Lint looks for more than a known
// word and says so itself. The tag `names` is for the keys of a Table, `form` for patterns.
var vocabulary = map[string][]string{
	"acceptances":     {"by_use", "by_click"},
	"accepters":       {"person", "guest"},
	"agreements":      {"generated"},
	"bases":           bases,
	"categories":      categoryWordList(),
	"caveats":         {"none_is_perfect"},
	"choosers":        {"subject", "workspace", "project"},
	"claims":          claims,
	"classes":         {"illegal", "harmful", "nsfw"},
	"doings":          {"block", "hold", "blur"},
	"enforceable":     {"no_training", "shortest_retention", "region", "processors"},
	"events":          events,
	"forms":           {"anonymised"},
	"gpc":             {"refuse"},
	"infrastructure":  {"database", "blobs", "nats", "keys", "tls_issuer", "mail"},
	"key_holders":     {"holder_only"},
	"key_places":      {"apart"},
	"lengthenings":    {"new_records_only"},
	"logs":            {"transparency"},
	"losses":          {"no_sign_in", "quality_may_suffer"},
	"manners":         {"anonymise"},
	"marks":           {"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicallyEnhanced"},
	"modes":           {"notice_only", "opt_in", "opt_out"},
	"never":           {"never"},
	"noise_periods":   {"day", "month", "year"},
	"nothing":         {"none"},
	"notices":         {"page", "banner", "email"},
	"occasions":       {"asset.commercial"},
	"offers":          {"export", "erase"},
	"owners":          {"subject"},
	"payments":        {"subscription", "paid_credits"},
	"person":          {"person"},
	"pieces":          {"turn"},
	"portions":        {"segments"},
	"reads":           {"audited"},
	"receipts":        {"subject", "batch"},
	"residues":        {"id", "email_hash", "closed_at"},
	"reconsents":      {"consent"},
	"refusals":        {"refuse", "refuse_and_forget"},
	"refuse":          {"refuse"},
	"releases":        {"two_persons"},
	"removals":        {"key_destroyed", "bytes_removed"},
	"rights":          append(append([]string(nil), gdprRights...), "human_review", "opt_out_sale"),
	"roles":           {string(musa.RoleOperator), string(musa.RoleSupport), string(musa.RoleModerator), string(musa.RoleCompliance)},
	"safeguards":      {"adequacy", "scc", "bcr"},
	"sales":           {"never", "with_opt_out"},
	"scopes":          {"subject", "asset"},
	"senders":         {"browser", "server"},
	"signals":         {"Sec-GPC"},
	"states":          {"saved", "in_use"},
	"tellings":        {"always", "unless_prohibited"},
	"tiers":           {string(musa.TierGuest), string(musa.TierMember), string(musa.TierPaid)},
	"units":           {"asset", "prompt", "conversation", "project", "account"},
	"workspace_roles": {"owner", "admin", "editor", "viewer"},
}

func categoryWordList() []string {
	var out []string
	for _, c := range musa.Categories() {
		out = append(out, string(c))
	}
	return out
}

// KnownClaims lists what a policy may claim about its protection: exactly that for which the
// program has a self-test.
func KnownClaims() []string { return append([]string(nil), claims...) }

var (
	policyName  = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	versionName = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}\.\d+$`)
	countryName = regexp.MustCompile(`^[A-Z]{2}$`)
	placeName   = regexp.MustCompile(`^(EEA|[A-Z]{2}|[A-Z]{2}-[A-Z0-9]{1,3})$`)
	mailOrPage  = regexp.MustCompile(`^([^@\s]+@[^@\s]+\.[^@\s]+|https://\S+)$`)
	hostName    = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$`)
)

// forms is what the tag `form` promises of a text. An article and an age may be written as
// numbers, so their pattern bears on text alone.
var forms = map[string]struct {
	pattern string
	number  bool
}{
	"name":    {policyName.String(), false},
	"version": {versionName.String(), false},
	"day":     {`^\d{4}-\d{2}-\d{2}$`, false},
	"country": {countryName.String(), false},
	"place":   {placeName.String(), false},
	"contact": {mailOrPage.String(), false},
	"host":    {hostName.String(), false},
	"taxon":   {`^(user|system)\.[a-z_.]+$`, false},
	"article": {`^[0-9][0-9.()a-z]*$`, true},
	"number":  {`^[0-9]+(\.[0-9]+)?$`, true},
	"age":     {`^(1[3-9]|2[01])$`, true},
}
