package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"musa"
)

// Proxies are the networks of the reverse proxies in front of this server. What they say of a
// visitor counts; what anybody else says of themselves does not.
type Proxies []netip.Prefix

// ParseProxies reads networks such as 10.0.0.0/8 or fd00::/8, or single addresses. A Problem of
// kind ErrInvalid says what is wrong; the whole internet is no proxy, since then everybody could
// choose the address under which they are counted.
func ParseProxies(list []string) (Proxies, error) {
	wrong := func(public string) (Proxies, error) {
		return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "proxies_unusable", Field: "trusted-proxies", Public: public}
	}
	var out Proxies
	for _, one := range list {
		p, err := netip.ParsePrefix(one)
		if addr, single := netip.ParseAddr(one); err != nil && single == nil {
			p, err = addr.WithZone("").Prefix(addr.BitLen())
		}
		if err != nil {
			return wrong("List the networks of your proxies, such as 10.0.0.0/8 or fd00::/8, or single addresses such as 127.0.0.1, one after another with spaces or commas between.")
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.Bits() == 0 {
			return wrong("This names the whole internet: then everybody could say that they come from anywhere. List only the networks of your own proxies, such as 10.0.0.0/8.")
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func (p Proxies) has(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// Visitors has every request bear its visitor's address and how it was sent: of what a proxy of
// ours says, else what the connection shows. It stands before everything that looks at either.
func Visitors(p Proxies, next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !p.has(peer.Addr().Unmap()) {
			next.ServeHTTP(w, r)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), overTLSKey{}, saidTLS(r.Header)))
		r.RemoteAddr = netip.AddrPortFrom(p.visitor(r.Header, peer.Addr().Unmap()), 0).String()
		next.ServeHTTP(w, r)
	})
}

// visitor is the last address that a proxy of ours saw and that is not one of ours. Where the two
// headers that proxies use name different visitors, one of them is the visitor's own invention:
// then the proxy's address counts.
func (p Proxies) visitor(h http.Header, peer netip.Addr) netip.Addr {
	old, standard := h.Values("X-Forwarded-For"), h.Values("Forwarded")
	byOld, byStandard := p.behind(peer, addresses(old)), p.behind(peer, forwarded(standard, "for"))
	switch {
	case len(standard) == 0:
		return byOld
	case len(old) == 0 || byOld == byStandard:
		return byStandard
	}
	return peer
}

// behind goes back from the peer for as long as the hop that tells is ours. A hop that hides who
// was before it, or whose word is no address, is the last one that is known.
func (p Proxies) behind(peer netip.Addr, chain []string) netip.Addr {
	at := peer
	for _, hop := range slices.Backward(chain) {
		next, ok := hopAddress(hop)
		if !ok {
			return at
		}
		if at = next; !p.has(at) {
			return at
		}
	}
	return at
}

// hopAddress reads 192.0.2.1, 192.0.2.1:80, 2001:db8::1 and [2001:db8::1]:80.
func hopAddress(hop string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(hop); err == nil {
		hop = host
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	return addr.WithZone("").Unmap(), err == nil
}

// addresses are the entries of X-Forwarded-For, the farthest hop first; several lines are one list.
func addresses(lines []string) (list []string) {
	for _, line := range lines {
		for one := range strings.SplitSeq(line, ",") {
			list = append(list, strings.TrimSpace(one))
		}
	}
	return list
}

// forwarded is one parameter of each hop in Forwarded (RFC 7239), the farthest hop first; empty
// where a hop does not say it.
func forwarded(lines []string, name string) (list []string) {
	for _, hop := range cut(strings.Join(lines, ","), ',') {
		said := ""
		for _, pair := range cut(hop, ';') {
			if k, v, ok := strings.Cut(pair, "="); ok && strings.EqualFold(strings.TrimSpace(k), name) {
				said = strings.Trim(strings.TrimSpace(v), `"`)
			}
		}
		list = append(list, said)
	}
	return list
}

// cut splits at a mark that stands outside of quotes.
func cut(text string, mark byte) (parts []string) {
	begin, quoted := 0, false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == mark && !quoted:
			parts, begin = append(parts, text[begin:i]), i+1
		}
	}
	return append(parts, text[begin:])
}

type overTLSKey struct{}

// saidTLS is whether the nearest proxy was itself spoken to over TLS.
func saidTLS(h http.Header) bool {
	said := addresses(h.Values("X-Forwarded-Proto"))
	if len(said) == 0 {
		said = forwarded(h.Values("Forwarded"), "proto")
	}
	return len(said) > 0 && strings.EqualFold(said[len(said)-1], "https")
}

// Secure says whether a cookie of this request travels over TLS alone: by the setting, or because
// a proxy of ours says that the request came that way.
func (c Cookies) Secure(ctx context.Context) bool {
	said, _ := ctx.Value(overTLSKey{}).(bool)
	return c == CookiesSecure || said
}
