package musa

import "slices"

// Act is what somebody does with what is an owner's. Each route names one, and each use case
// that is reached from a workspace asks for it: what is not granted is refused.
type Act string

// The acts. A person may do all of them with what is their own; in a workspace the member's
// role decides, and through an API key its scopes do, which reach neither ActOwn nor ActSelf.
const (
	ActSee    Act = "see"    // look at pictures, jobs, settings
	ActMake   Act = "make"   // upload, order, change
	ActErase  Act = "erase"  // erase pictures and words, one by one
	ActAsk    Act = "ask"    // write to support, rate, answer
	ActGovern Act = "govern" // settings, consents, members, requests, the export of all
	ActOwn    Act = "own"    // end it all; say who else owns it
	ActSelf   Act = "self"   // what a person has of their own beside all workspaces: ways to sign in, sessions, keys, mails
)

// Acts lists them.
func Acts() []Act { return []Act{ActSee, ActMake, ActErase, ActAsk, ActGovern, ActOwn, ActSelf} }

// memberActs is what each role of a workspace may do. ActSelf is nobody's: it is never about
// a workspace.
var memberActs = map[MemberRole][]Act{
	MemberOwner:  {ActSee, ActMake, ActErase, ActAsk, ActGovern, ActOwn},
	MemberAdmin:  {ActSee, ActMake, ActErase, ActAsk, ActGovern},
	MemberEditor: {ActSee, ActMake, ActErase, ActAsk},
	MemberViewer: {ActSee},
}

// MemberRoles lists the roles of a workspace, from the one that may do all.
func MemberRoles() []MemberRole {
	return []MemberRole{MemberOwner, MemberAdmin, MemberEditor, MemberViewer}
}

// May says whether the role includes an act; a role that nobody knows includes none.
func (r MemberRole) May(act Act) bool { return slices.Contains(memberActs[r], act) }

// May refuses, in words, what an actor may not do with what is the subject's: by their role in
// a workspace, or because no API key may. Promises E-14, W-14.
func (a Actor) May(act Act) error {
	if a.Key != "" && (act == ActOwn || act == ActSelf) {
		return &Problem{Kind: ErrRefused, Code: "key_never",
			Public: "No key may do this. Sign in as the person whose account it is."}
	}
	if a.Person == "" {
		return nil
	}
	if act == ActSelf {
		return &Problem{Kind: ErrRefused, Code: "person_only",
			Public: "This is yours alone, and not a workspace's. Repeat it without the header Musa-Workspace."}
	}
	if !a.Member.May(act) {
		return &Problem{Kind: ErrRefused, Code: "member_may_not",
			Public: "Your role in this workspace does not allow that. Ask one of its admins or owners."}
	}
	return nil
}

// Author is who did something, where it stands beside its owner.
func (a Actor) Author() SubjectID {
	if a.Person != "" {
		return a.Person
	}
	return a.Subject
}
