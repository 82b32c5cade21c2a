// preseed/late_command as the installer runs it, with the image where the installer has /target.

import type { Step } from '../../tasks/plan/step.ts'

export function lateCommand(command: string, apt: string): Step {
  return {
    do: 'run',
    argv: ['sh', '-eu', '-c', surroundings, 'late_command', command],
    env: { DEBIAN_FRONTEND: 'noninteractive', DEBCONF_NONINTERACTIVE_SEEN: 'true' },
    apt,
    label: 'late_command',
  }
}

/**
 * /target leads back to the root, and the installer's programs are files on PATH, so that they also work from
 * `sh -c`, `xargs` and scripts. Shell functions would not, and dash refuses a hyphen in a function's name.
 */
const surroundings = `programs=$(mktemp -d /run/late_command.XXXXXX)
trap 'rm -rf "$programs" /target' EXIT
[ ! -e /target ] || { echo 'the image has a /target of its own' >&2; exit 1; }
ln -s / /target
cat > "$programs/in-target" <<'EOF'
#!/bin/sh
cd /
if [ "\${1-}" = --pass-stdout ]; then shift; fi
exec "$@"
EOF
cat > "$programs/log-output" <<'EOF'
#!/bin/sh
while :; do
  case "\${1-}" in
    -t) shift 2 ;;
    --pass-stdout) shift ;;
    *) break ;;
  esac
done
exec "$@"
EOF
cat > "$programs/apt-install" <<'EOF'
#!/bin/sh
recommends= remove=--no-remove
while :; do
  case "\${1-}" in
    --no-recommends) recommends=--no-install-recommends; shift ;;
    --with-recommends) recommends=--install-recommends; shift ;;
    --allow-remove) remove=; shift ;;
    --) shift; break ;;
    *) break ;;
  esac
done
exec apt-get -q -y $remove $recommends install -- "$@"
EOF
chmod 755 "$programs"/*
cd /
PATH=$programs:$PATH sh -c "$1"
`
