package rights

import (
	"context"
	"html/template"
	"path"

	"musa"
	"musa/lang"
	"musa/policy"
)

// The page that explains an archive: no script, nothing from elsewhere, so that it can be
// read from a folder years later.
var indexPage = template.Must(template.New("index").Parse(`{{define "head"}}<!doctype html>
<html lang="{{.T.Tag}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:">
<title>{{.W "title"}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #ccc;vertical-align:top}td{overflow-wrap:anywhere}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#9cf}}</style>
</head><body><h1>{{.W "title"}}</h1><p>{{.W "what"}}</p>
<table><tr><th>{{.W "server"}}</th><td>{{.M.Server}}</td></tr><tr><th>{{.W "made"}}</th><td>{{.M.Made.Format "2006-01-02 15:04 MST"}}</td></tr>
<tr><th>{{.W "policy"}}</th><td>{{.M.Policy}}</td></tr><tr><th>{{.W "subject"}}</th><td>{{.M.Subject}}</td></tr></table>
<h2>{{.W "pictures"}}</h2><p>{{.W "pictures_text"}}</p><table><tr><th>{{.W "name"}}</th><th>{{.W "created"}}</th><th>{{.W "ends"}}</th></tr>
{{end}}{{define "row"}}<tr><td><a href="{{.File}}">{{.Name}}</a><br>{{.Width}} × {{.Height}}{{with .Prompt}}<br>“{{.}}”{{end}}</td><td>{{.Created.Format "2006-01-02"}}</td><td>{{with .Ends}}{{.Format "2006-01-02"}}{{end}}</td></tr>
{{end}}{{define "foot"}}</table><h2>{{.W "files"}}</h2><table><tr><th>{{.W "file"}}</th><th>{{.W "holds"}}</th></tr>
{{range .Files}}<tr><td><a href="{{.Name}}">{{.Name}}</a></td><td>{{.Words}}</td></tr>
{{end}}</table><p>{{.W "schema"}}</p><p>{{.W "import"}}</p><p>{{.W "missing"}}</p></body></html>
{{end}}`))

// told is what the page's template asks for.
type told struct {
	T     *lang.Catalogue
	M     Manifest
	Files []named
}

type named struct{ Name, Words string }

// W is one of the page's sentences.
func (t told) W(key string) string { return t.T.T("export."+key, nil) }

func (x *export) head(m Manifest) func(context.Context) error {
	return func(context.Context) error {
		return indexPage.ExecuteTemplate(x.index, "head", told{T: x.words, M: m})
	}
}

func (x *export) row(l Line) error { return indexPage.ExecuteTemplate(x.index, "row", l) }

// foot names every file that is no picture.
func (x *export) foot(context.Context) error {
	t := told{T: x.words}
	for _, f := range x.box.files {
		if dir, _ := path.Split(f.Name); dir == "" {
			t.Files = append(t.Files, named{f.Name, x.nameOf(f.Name)})
		}
	}
	t.Files = append(t.Files, named{fileContents, x.nameOf(fileContents)})
	return indexPage.ExecuteTemplate(x.index, "foot", t)
}

func (x *export) nameOf(file string) string {
	for _, f := range append(files[:len(files):len(files)], struct {
		name  string
		holds any
	}{name: fileSchema}) {
		if f.name == file {
			return x.words.T("export.file."+file[:len(file)-len(path.Ext(file))], nil)
		}
	}
	for _, c := range musa.Categories() {
		if partOf(c) == file {
			return policy.NameIn(x.words.Tag(), c)
		}
	}
	return ""
}
