#!/bin/sh
# Installs the real servers that the tests talk to, where they are missing and this is Debian or Ubuntu as root.
# Without root nothing is installed: tests whose server is missing skip, or fail when CI=true.
set -eu

missing=""
need() { # need PACKAGE TEST-COMMAND...
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

need busybox-static test -x /bin/busybox
need docker.io sh -c 'command -v dockerd'
need docker-compose sh -c 'command -v docker-compose'
need iptables sh -c 'command -v iptables'
need iproute2 sh -c 'command -v ss'
need postgresql sh -c 'ls /usr/lib/postgresql/*/bin/postgres'
need pgbouncer sh -c 'command -v pgbouncer || test -x /usr/sbin/pgbouncer'
need mariadb-server sh -c 'test -x /usr/sbin/mariadbd && id mysql'
need galera-4 test -e /usr/lib/galera/libgalera_smm.so
need rsync sh -c 'command -v rsync'
need nghttp2-client sh -c 'command -v h2load'
need sqlite3 sh -c 'command -v sqlite3'
need etcd-server sh -c 'command -v etcd || command -v go'
need systemd sh -c 'command -v systemd-analyze'
need strace sh -c 'command -v strace'
need gcc sh -c 'command -v cc'
need libc6-dev test -e /usr/include/stdio.h
need procps sh -c 'command -v ps'

[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed (needs root on Debian or Ubuntu):$missing" >&2
    exit 0
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# The tests start their own servers, so those of the packages stay down.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    trap 'rm -f $policy' EXIT
fi
# shellcheck disable=SC2086  # a list of words
apt-get -qq -y install --no-install-recommends $missing >/dev/null
