#!/bin/sh
# Creates the database completely or not at all, and at each start the roles of gateway and metadata, each with its own
# schema. Name and password of a role come from its URL in the secret: a new password takes effect after a restart.
set -eu
umask 077

if [ ! -e "$PGDATA" ]; then
    rm -rf "$PGDATA.draft"
    initdb --pgdata="$PGDATA.draft" --username=postgres --auth=peer --encoding=UTF8 --locale=C.UTF-8 --data-checksums >&2
    mv "$PGDATA.draft" "$PGDATA"
fi

# Only this script can reach this server, and no statement with a password gets into its log.
pg_ctl start --wait --timeout=600 --silent --log=/tmp/create.log \
    --options="-c listen_addresses='' -c unix_socket_directories=/tmp -c log_min_error_statement=panic" \
    || { cat /tmp/create.log >&2; exit 1; }

sql() {
    PGOPTIONS="-c client_min_messages=warning" psql --host=/tmp --username=postgres --dbname="$1" --no-psqlrc --quiet --set=ON_ERROR_STOP=1
}

sql postgres <<'SQL'
SELECT 'CREATE DATABASE insitu' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'insitu') \gexec
REVOKE ALL ON DATABASE insitu FROM PUBLIC;
SQL
for actor in gateway metadata; do
    password=$(sed -nE "s|^postgresql://$actor:([A-Za-z0-9._~-]+)@.*|\1|p" "/etc/insitu-database/$actor")
    if [ -z "$password" ]; then
        echo "secret insitu-database: $actor has to be postgresql://$actor:PASSWORD@insitu-postgresql.insitu.svc:5432/insitu," \
            "with letters and digits for PASSWORD" >&2
        exit 1
    fi
    sql insitu <<SQL
SELECT 'CREATE ROLE $actor' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$actor') \gexec
ALTER ROLE $actor LOGIN PASSWORD '$password';
GRANT CONNECT ON DATABASE insitu TO $actor;
CREATE SCHEMA IF NOT EXISTS $actor AUTHORIZATION $actor;
SQL
done

pg_ctl stop --wait --timeout=600 --silent --mode=fast
