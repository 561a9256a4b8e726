package policy

func renderPurposes(p *page) {
	p.section("What it is used for")
	objection, _ := p.d.Rights.Get("objection")
	for _, e := range p.d.Purposes {
		held := p.d.held(e.Value.Uses)
		if len(held) == 0 {
			continue
		}
		path := "purposes." + e.Name
		object := ""
		if objection.Purposes.Has(e.Name) {
			object = p.t.of(", and you may object")
		}
		p.say(path, "%s, the service uses %s. It may do so %s%s.", capital(p.t.purposePhrase(e.Name)), p.t.namings(held), p.t.of(basisWords[e.Value.Basis.Default]), object)
		for _, v := range e.Value.Basis.Where {
			p.say(path+".basis."+v.Name, "Where the %s holds, it may do so %s.", p.t.law(v.Name), p.t.of(basisWords[v.Value]))
		}
		if e.Value.Form == "anonymised" {
			p.say(path+".form", "Before that, whatever leads to you is taken out.")
		}
		if e.Value.HumanReview.On() {
			p.say(path+".human_review", "A person looks at such a decision if you ask for it.")
		}
	}
	if len(p.d.Purposes) > 0 {
		p.say("purposes", "For any other purpose the server refuses to open your data.")
	}
}

func renderUncollected(p *page) {
	p.section("What is not collected")
	for _, e := range p.d.Categories {
		if e.Value.Collected.Off() {
			p.say("categories."+e.Name+".collected", "This service collects no %s.", p.t.bareName(e.Name))
		}
	}
}

func renderEnd(p *page) {
	p.section("What happens at the end")
	p.ends()
	h := p.d.Holds
	if h.Role == "" {
		return
	}
	p.say("holds", "Nothing outlives its time, except a sealed copy under a legal hold.")
	var held Words
	for _, c := range holdable() {
		held = append(held, string(c))
	}
	p.say("holds.role", "Only %s may have that copy made, of %s, and only before the time is over.", p.t.said(h.Role, roleNames), p.t.namings(p.d.held(held)))
	if h.Release == "two_persons" {
		p.say("holds.release", "Two persons have to agree before a hold is released.")
	}
	switch h.TellSubject {
	case "always":
		p.say("holds.tell_subject", "You are told of a hold on what is yours.")
	case "unless_prohibited":
		p.say("holds.tell_subject", "You are told of a hold on what is yours, unless the law forbids it.")
	}
}

// ends is the way from due to gone.
func (p *page) ends() {
	l := p.d.Lifecycle
	if l.Hide.Within.Said() {
		p.say("lifecycle.hide", "From the moment at which something is due, nobody can open it, not even its owner.")
	}
	if l.Erase.Within.Said() {
		p.say("lifecycle.erase", "Within %s of that moment its key is destroyed, so that nothing that is left of it can be read.", p.t.within(l.Erase.Within))
	}
	if l.Purge.Within.Said() {
		p.say("lifecycle.purge", "Within %s its bytes are removed as well, and it is checked that they are.", p.t.within(l.Purge.Within))
	}
	if len(l.Receipt.Per) > 0 {
		p.say("lifecycle.receipt", "A receipt proves the erasure, and whoever holds it can check it.")
	}
	b := l.Backup
	if !b.Every.Said() {
		return
	}
	p.say("lifecycle.backup.every", "A sealed backup is made %s.", p.t.each(b.Every))
	if b.Keys == "apart" {
		p.say("lifecycle.backup.keys", "The keys lie apart from them, so what was erased cannot be read in a backup.")
	}
	if len(b.LeavesOut) > 0 {
		p.say("lifecycle.backup.leaves_out", "Backups leave out %s.", p.t.namings(b.LeavesOut))
	}
	p.say("lifecycle.backup.within", "After %s what was erased has left the last of them.", p.t.within(b.Within))
	if b.Rehearse.Said() {
		p.say("lifecycle.backup.rehearse", "Restoring one is tried %s.", p.t.each(b.Rehearse))
	}
	if b.ReplayErasuresOnRestore.On() {
		p.say("lifecycle.backup.replay_erasures_on_restore", "A restored backup does not bring back what was erased.")
	}
}
