package policy_test

var lintReach = []turned{
	{"an event of another kind", "[device], from: created", "[device], from: transaction", "", "retention[15].from", "`transaction` comes to `payment` alone", 0},
	{"a hold on what is no evidence", "[device], from: created", "[device], from: hold_opened, review: 90d", "", "retention[15].from", "`hold_opened` comes to `evidence` alone", 0},
	{"restricted from the beginning", "[device], from: created, keep: 60d", "[device], from: created, keep: 60d, restricted: true", "", "retention[15].restricted", "nobody could ever use it", 0},
	{"released by whom", "release: compliance", "release: sheriff", "", "retention[22].release[0]", "not declared under roles.instance", 0},
	{"a rest of what", "residue: [id, ", "residue: [face, ", "", "retention[10].residue[0]", "means nothing", 0},
	{"in browsers unasked", "for: [bill], gets: [payment]", "from: browser, for: [bill], gets: [payment]", "", "processors.till.from", "without a consent", 0},
	{"credentials sent out", "for: [notify, market], gets: [account, mail]", "for: [notify, market, sign_in], gets: [account, mail, credential]", "", "processors.postman.gets[2]", "never leaves the house", 0},
	{"a site without a lock", "site: https://atelier.example", "site: atelier.example", "", "controller.site", "not a safe address", 0},
	{"terms in no version", "{version: 2027-03-01.1, accept", "{accept", "", "terms", "in no version", 0},
	{"looked at without leave", "looks_at: [prompt, original, output]", "looks_at: [prompt, original, output, share]", "", "moderation.looks_at[3]", "does not use `share`", 0},
	{"evidence and no holds", "holds: {role: compliance, may_use: [hold], scope: asset, release: two_persons, tell_subject: unless_prohibited}\n", "", "evidence:", "categories.evidence", "nobody may place", 0},
	{"a holder who may not look", "compliance: [hold, disclose]", "compliance: [disclose]", "holds:", "holds.role", "may not open what it holds", 0},
	{"an erasure without proof", "per: [subject, batch]", "per: []", "", "lifecycle.receipt", "nobody can check", 0},
	{"consents in a ring", "training:            {mode: opt_in, ", "training:            {mode: opt_in, requires: training_commercial, ", "", "consents.training.requires", "requires itself in the end", 1},
	{"a grace for ever", "grace: 0s", "grace: indefinite", "", "rights.erasure.grace", "never over", 0},
	{"an objection to a contract", "within: 1mo, purposes: [secure, moderate]}\n  human", "within: 1mo, purposes: [secure, moderate, bill]}\n  human", "", "rights.objection.purposes[2]", "rests on no interest", 0},
}
