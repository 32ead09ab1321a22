#!/bin/sh
# Starts MariaDB as the official image does: MYSQL_USER, _PASSWORD and _DATABASE of a new directory.
set -eu
data=/var/lib/mysql
chown mysql "$data" && chmod 700 "$data"
set -- --datadir="$data" --user=mysql --bind-address=0.0.0.0 --socket=/tmp/mysqld.sock --pid-file=/tmp/mysqld.pid
if [ ! -d "$data/mysql" ]; then
    mariadb-install-db --datadir="$data" --user=mysql --skip-test-db >/dev/null
    cat >/tmp/init.sql <<SQL
CREATE DATABASE $MYSQL_DATABASE;
CREATE USER $MYSQL_USER@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON $MYSQL_DATABASE.* TO $MYSQL_USER@'%';
SQL
    chown mysql /tmp/init.sql
    set -- "$@" --init-file=/tmp/init.sql
fi
exec mariadbd "$@"
