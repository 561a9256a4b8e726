package local

import (
	"slices"
	"strings"
	"unicode"

	"musa"
)

// wish is what the words of a prompt ask for.
type wish struct {
	spoken bool // there were words
	scale  int
	light  int // 1 brighter, -1 darker
	clean  bool
	sharp  bool
	colour bool
}

// The words that are known, by what they ask for: English, German, French, Spanish,
// Portuguese, Chinese, Japanese. A word matches where a word of the prompt begins with
// it, so stems stand for their endings; Chinese and Japanese, which set no spaces,
// match anywhere.
var (
	wordsFour = []string{"4x", "4×", "x4", "×4", "four times", "fourfold", "quadrupl", "vierfach", "viermal", "vervierfach", "quatre fois",
		"cuatro veces", "cuadruplic", "quatro vezes", "quadruplic", "四倍", "4倍"}
	wordsLarger = []string{"2x", "2×", "x2", "×2", "larger", "bigger", "enlarg", "upscal", "upsiz", "high resolution", "higher resolution", "größer", "groesser", "vergrößer", "vergroesser",
		"verdopp", "doppelt", "auflösung", "hochskal", "grand", "agrand", "doubl", "résolution", "grande", "ampli", "dobl", "resoluci", "maior", "aument", "dobr", "resoluç",
		"放大", "更大", "大一点", "两倍", "2倍", "二倍", "分辨率", "大きく", "拡大", "高解像度"}
	wordsBrighter = []string{"bright", "lighter", "lighten", "exposure", "hell", "heller", "aufhell", "clair", "lumineu", "éclairc", "eclairc", "brillan", "aclar", "luminos", "iluminad", "claro", "mais clar", "más clar", "clare",
		"更亮", "亮一", "亮些", "调亮", "提亮", "明亮", "亮度", "明るく", "明るい"}
	wordsDarker = []string{"darker", "darken", "dunkler", "abdunk", "sombre", "assombr", "oscur", "escur", "暗一", "更暗", "变暗", "調暗", "暗く"}
	wordsClean  = []string{"clean", "artefact", "artifact", "noise", "noisy", "denois", "grain", "compression", "blocky", "sauber", "rausch", "entrausch", "artefakt", "körn", "koern", "nettoy", "bruit", "débruit", "artéfact",
		"limpi", "ruido", "artefacto", "grano", "ruído", "artefato", "granulaç", "噪", "干净", "清理", "去噪", "瑕疵", "ノイズ", "きれい", "綺麗", "ざらつき"}
	wordsSharp = []string{"sharp", "crisp", "clearer", "blur", "detail", "scharf", "schärf", "schaerf", "unscharf", "net", "nette", "netteté", "flou", "nítid", "nitid", "borros", "enfo", "afiad", "desfoc", "锐", "清晰", "模糊", "シャープ", "くっきり", "鮮明", "ぼけ"}
	wordsColor = []string{"colour", "color", "satur", "vivid", "vibran", "white balance", "farb", "weißabgleich", "kräftig", "couleur", "vif", "vives", "balance des blancs", "vivo", "cor", "cores", "颜色", "色彩", "鲜艳", "白平衡", "色を", "色味", "色合い", "彩度", "鮮やか"}
)

// readPrompt looks for known words. It does not understand sentences: "not larger" asks
// for larger, which is why the plan repeats what was understood before anything is done.
func readPrompt(p musa.Prompt) wish {
	text := strings.ToLower(p.Reveal())
	w := wish{spoken: strings.TrimSpace(text) != ""}
	t := spaced(text)
	switch {
	case mentions(t, wordsFour):
		w.scale = 4
	case mentions(t, wordsLarger):
		w.scale = 2
	}
	switch {
	case mentions(t, wordsDarker):
		w.light = -1
	case mentions(t, wordsBrighter):
		w.light = 1
	}
	w.clean = mentions(t, wordsClean)
	w.sharp = mentions(t, wordsSharp)
	w.colour = mentions(t, wordsColor)
	return w
}

// spaced puts one space before each word and none elsewhere but between words.
func spaced(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '×' })
	return " " + strings.Join(words, " ") + " "
}

// whole are words so short that only the whole word counts.
var whole = []string{"2x", "2×", "x2", "×2", "4x", "4×", "x4", "×4", "cor", "cores", "grande", "grand", "vif", "net", "nette", "hell", "claro"}

func mentions(text string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		switch {
		case strings.ContainsFunc(word, han):
			return strings.Contains(text, word)
		case slices.Contains(whole, word):
			return strings.Contains(text, " "+word+" ")
		}
		return strings.Contains(text, " "+word)
	})
}

// han says whether a rune belongs to a script that sets no spaces.
func han(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// understood says in plain words what was read.
func (w wish) understood() string {
	if !w.spoken {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		on   bool
		word string
	}{
		{w.scale == 2, "make it twice as large"}, {w.scale == 4, "make it four times as large"},
		{w.light > 0, "brighten it"}, {w.light < 0, "darken it"}, {w.clean, "clean it of noise and artefacts"},
		{w.sharp, "sharpen it"}, {w.colour, "correct its colours"},
	} {
		if p.on {
			parts = append(parts, p.word)
		}
	}
	if len(parts) == 0 {
		return "Nothing in these words is something that this engine can do. It can enlarge, clean, brighten, darken, sharpen and correct colours."
	}
	return "Understood: " + strings.Join(parts, ", ") + "."
}
