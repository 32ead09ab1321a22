#!/bin/sh
# Unpacks Debian unstable's MySQL server into a directory (root, debootstrap), and names there the program that starts it:
#   TAPIR_MYSQLD=$(tests/install-mysql.sh build/mysql) pytest -k mysql ...
# Nothing is installed on this system: the server runs by the loader and the libraries of its own directory.
set -eu

mkdir -p "${1:?give a directory}"
here=$(realpath "$1")
program=$here/mysqld
root=$here/root
if [ ! -x "$program" ]; then
    rm -rf "$root"
    debootstrap --variant=minbase --include=mysql-server-core sid "$root" http://deb.debian.org/debian >"$here/log" 2>&1
    loader=$(find "$root/lib64/" "$root/usr/lib64/" -name 'ld-linux-*' | head -1)
    libraries=$(dirname "$(find "$root/usr/lib" -name libc.so.6 | head -1)")
    cat >"$program.new" <<END
#!/bin/sh
exec '$loader' --library-path '$libraries' '$root/usr/sbin/mysqld' \\
    "\$@" '--basedir=$root/usr' '--plugin-dir=$root/usr/lib/mysql/plugin'
END
    chmod +x "$program.new"
    mv "$program.new" "$program"
fi
echo "$program"
