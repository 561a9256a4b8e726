#!/bin/sh
# Installs what Musa needs from the operating system, and nothing that is there.
# Usage: setup/packages.sh run|test|photographs
#   run          what building and serving needs
#   test         that, and what the whole test suite needs
#   photographs  package lists, so that tests can download their photographs
#
# Each need is found by what it gives (a command, a header, a library), not by package
# name, so that a machine set up by other means is left alone. Prints nothing when
# nothing is missing.
set -eu

lists=${SETUP_APT_LISTS:-/var/lib/apt/lists}
missing=""

has() { command -v "$1" >/dev/null 2>&1; }
want() { missing="$missing $1"; }

need_run() {
	has git || want git
	has gcc || has cc || want gcc
	# gcc only recommends the C library's headers, and we install no recommendations.
	[ -e /usr/include/stdlib.h ] || want libc6-dev
	if has pkg-config; then
		pkg-config --exists 'vips >= 8.14' || want libvips-dev
	else
		want pkg-config
		want libvips-dev
	fi
	has node || want nodejs
	has npm || want npm
	[ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || want ca-certificates
}

need_test() {
	need_run
	has chromium-headless-shell || has chromium || has chromium-browser || has google-chrome || want chromium-headless-shell
	has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || want postgresql
}

case "${1:-}" in
run) need_run ;;
test) need_test ;;
photographs) ;;
*)
	echo "usage: setup/packages.sh run|test|photographs" >&2
	exit 2
	;;
esac

root=""
if [ "$(id -u)" != 0 ] && has sudo; then root="sudo"; fi

# may_run says whether this user can run the given apt-get command, and otherwise what
# somebody else has to type.
may_run() {
	if ! has apt-get; then
		echo "setup: this machine lacks (Debian's names):$missing" >&2
		echo "setup: no apt-get here; install them by your system's own means and try again" >&2
		return 1
	fi
	if [ "$(id -u)" != 0 ] && [ -z "$root" ]; then
		echo "setup: not root and no sudo; have somebody run: apt-get $1" >&2
		return 1
	fi
}

has_lists() { ls "$lists"/*_Packages* >/dev/null 2>&1; }

update() {
	echo "setup: fetching the package lists (apt-get update)"
	$root apt-get update -qq </dev/null >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

# install takes $missing as words: they are our own package names.
install() {
	$root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $missing </dev/null >"$log" 2>&1
}

if [ "$1" = photographs ]; then
	has apt-get || exit 0
	has_lists && exit 0
	may_run update
elif [ -z "$missing" ]; then
	exit 0
else
	may_run "install$missing"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

if [ "$1" = photographs ]; then
	update
	exit 0
fi

fresh=no
if ! has_lists; then
	update
	fresh=yes
fi
# Older systems have the browser only with its desktop parts.
if has apt-cache && ! apt-cache show chromium-headless-shell >/dev/null 2>&1; then
	missing=$(echo "$missing" | sed 's/chromium-headless-shell/chromium/')
fi
echo "setup: installing$missing (Debian packages; takes some minutes)"
if ! install; then
	# Old lists name versions that the mirror no longer has: fetch them once, try again.
	if [ "$fresh" = yes ]; then cat "$log" >&2; exit 1; fi
	update
	install || { cat "$log" >&2; exit 1; }
fi
echo "setup: installed$missing"
