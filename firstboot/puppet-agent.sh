#!/bin/sh
# Runs the puppet agent once and leaves nothing of the run but what the catalog asked for: certificate, keys, cached
# catalog, backups and reports lie in memory. img gives CERTNAME, SERVER, SERVER_PORT and ENVIRONMENT, and in $GIVEN
# what the agent trusts (ca.pem) and how it asks for its certificate (csr_attributes.yaml).
set -u
home=${GIVEN:?}/state
mkdir -p "$home"

command -v puppet >/dev/null || {
  echo "there is no puppet in this image: install puppet-agent in a recipe before this one" >&2
  exit 127
}

# A failed compilation must fail the run: a cached catalog would be an old one.
puppet agent --onetime --no-daemonize --no-splay --verbose --color false --detailed-exitcodes \
  --certname "$CERTNAME" --server "$SERVER" --serverport "$SERVER_PORT" --environment "$ENVIRONMENT" \
  --http_connect_timeout 120 --http_read_timeout 1200 --no-usecacheonfailure --waitforcert 0 --maxwaitforlock 60 \
  --no-show_diff --no-report \
  --vardir "$home/var" --statedir "$home/var/state" --rundir "$home/run" --logdir "$home/log" \
  --publicdir "$home/public" --deviceconfdir "$home/devices" --ssldir "$home/ssl" --localcacert "$GIVEN/ca.pem" \
  --csr_attributes "$GIVEN/csr_attributes.yaml"
status=$?

# img compares what was applied with what the layer is keyed by.
cp "$home/var/client_data/catalog/$CERTNAME.json" "${GIVEN%/*}/out/catalog.json" 2>/dev/null

rm -rf "$home"
exit "$status"
