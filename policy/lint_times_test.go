package policy_test

// Times that would be promised and never come, and events that the program does not bring.
var lintTimes = []turned{
	{"hidden some day", "hide:    {within: 0s}", "hide:    {within: indefinite}", "", "lifecycle.hide.within", "never comes", 0},
	{"copies never", "{every: 1d, rehearse", "{every: indefinite, rehearse", "", "lifecycle.backup.every", "never comes", 0},
	{"copies without pause", "{every: 1d, rehearse", "{every: 0s, rehearse", "", "lifecycle.backup.every", "without pause", 0},
	{"copies that go before the next", "{every: 1d, rehearse", "{every: 20d, rehearse", "", "lifecycle.backup.within", "for a time there would be none", 0},
	{"a rehearsal that never comes", "rehearse: 7d", "rehearse: indefinite", "", "lifecycle.backup.rehearse", "never comes", 0},
	{"a child stays suspended", "erase: 72h}", "erase: indefinite}", "", "age.reported.erase", "never comes", 0},
	{"a child waits", "suspend: 0s", "suspend: indefinite", "", "age.reported.suspend", "never comes", 0},
	{"sold at last", "{notice: 30d, offer", "{notice: indefinite, offer", "", "sale.business_transfer.notice", "never comes", 0},
	{"an authority never told", "tell_authority: 72h", "tell_authority: indefinite", "", "security.incident.tell_authority", "never comes", 0},
	{"a change that never holds", "lead: 30d", "lead: indefinite", "", "changes.material.lead", "never comes", 0},
	{"a tier that is never lost", "{shorten: true, notice: 24h}", "{shorten: true, notice: indefinite}", "", "retention[5].on_tier_loss.notice", "never comes", 0},
	{"a hold that is never looked at", "review: 90d", "review: indefinite", "", "retention[22].review", "never comes", 0},
	{"a hold that is always looked at", "review: 90d", "review: 0s", "", "retention[22].review", "without pause", 0},
	{"an answer elsewhere that never comes", "within: 45d, extend: 45d", "within: indefinite, extend: 45d", "", "rights.access.elsewhere.ccpa.within", "never comes", 0},
	{"a consent that is over at once", "expires: 24mo", "expires: 0s", "", "consents.training.expires", "without pause", 0},
	{"noise that is no number", "epsilon: 0.5", "epsilon: NaN", "", "categories.usage_total.noise.epsilon", "not a budget", 0},
	{"a guest's choice that nothing replaces", "[preference], tier: [member, paid]", "[preference], tier: [guest, member, paid]", "", "retention[13].from", "would stay for ever", 0},
	{"a guest's pictures until the account closes", "history, share], tier: guest, from: created", "history, share], tier: guest, from: superseded_or_closed", "", "retention[3].from", "would stay for ever", 0},
	{"pictures that go with a visit", "history, share], tier: member, from: created", "history, share], tier: member, from: last_seen", "", "retention[4].from", "no account ends with its last visit", 0},
	{"pictures that go before the account", "history, share], tier: guest, from: created", "history, share], tier: guest, from: last_seen", "", "retention[3].keep", "goes with the account, after 30d", 0},
	{"a request that goes with the account", "{for: [case], from: created", "{tier: [member, paid], for: [case], from: account_closed", "", "retention[24].from", "kept by its age", 1},
	{"a guest's records of jobs", "{for: [generation_log", "{tier: guest, for: [generation_log", "", "retention[17].tier", "ends by its age, whosever it is", 0},
}
