// The shell side of a puppetserver for one run, as text: in namespaces of its own, in a tool tree that is not written
// to, with a certificate authority that lives in memory.

/** In the host's root: `TOOLS SERVED SHARED CERTNAME`; the token comes as one line on descriptor 3. */
export const enterServer = `
tools=$1 served=$2 shared=$3 certname=$4
IFS= read -r token <&3
exec 1>&2
mount -t proc proc "$tools/proc"
mount --rbind /dev "$tools/dev"
mount -t tmpfs -o mode=0755 tmpfs "$tools/run"
mkdir "$tools/run/img" "$tools/run/img/shared" "$tools/run/img/etc"
cp -a "$tools/etc/puppet/." "$tools/run/img/etc"
for folder in tmp etc/puppet var/log var/cache var/lib/puppet var/lib/puppetserver; do
  mkdir -p "$tools/$folder" 2>/dev/null || true
  mount -t tmpfs -o mode=0755 tmpfs "$tools/$folder"
done
chmod 1777 "$tools/tmp"
cp -a "$tools/run/img/etc/." "$tools/etc/puppet"
mkdir -p "$tools/etc/puppet/code/environments/production"
mount --bind "$served" "$tools/etc/puppet/code/environments/production"
mount -o remount,bind,ro "$tools/etc/puppet/code/environments/production"
mount --bind "$shared" "$tools/run/img/shared"
umask 077
printf '%s\\n' "$token" >"$tools/etc/puppet/img-token"
printf '%s\\n' "$certname" >"$tools/etc/puppet/img-certname"
umask 022
exec 3>&-
`

/** Name of the server in its certificate: nobody outside of a build's network asks for it. */
export const serverName = 'puppet.img.invalid'
export const serverPort = 8140

/** What the server says when agents may come. */
export const serverReady = 'Puppet Server has successfully started and is now ready to handle requests'

/**
 * In the tool tree. A certificate is given once, to this name, for this token; a server that starts with a CA of 2048
 * bits and one interpreter is there soonest.
 */
export const runServer = `
# What a layer is keyed by was compiled without it, too.
rm -f /etc/puppet/hiera.yaml
cat >/etc/puppet/puppet.conf <<'END'
[main]
ssldir = /var/lib/puppet/ssl
cadir = /var/lib/puppetserver/ca
certname = ${serverName}
server = ${serverName}
keylength = 2048
[server]
vardir = /var/lib/puppetserver
autosign = /etc/puppet/img-autosign
environmentpath = /etc/puppet/code/environments
static_catalogs = false
strict = error
strict_variables = true
reports = none
END
cat >/etc/puppet/img-autosign <<'END'
#!/usr/bin/ruby
require 'openssl'
name = File.read('/etc/puppet/img-certname').chomp
token = File.read('/run/img/token/value').chomp
request = OpenSSL::X509::Request.new(STDIN.read)
attribute = request.attributes.find { |one| one.oid == 'challengePassword' }
given = attribute && attribute.value.value.first.value
exit 1 unless ARGV[0] == name && request.subject.to_s == '/CN=' + name
exit 1 unless given && given.bytesize == token.bytesize && OpenSSL.fixed_length_secure_compare(given, token)
# Once.
File.delete('/run/img/token/value')
END
cat >/etc/puppet/puppetserver/conf.d/webserver.conf <<'END'
webserver: { client-auth: want, ssl-host: 127.0.0.1, ssl-port: ${serverPort} }
END
cat >/etc/puppet/puppetserver/conf.d/puppetserver.conf <<'END'
jruby-puppet: {
  ruby-load-path: [/usr/lib/puppetserver/ruby/vendor_ruby]
  gem-home: /var/lib/puppetserver/jruby-gems
  gem-path: [/var/lib/puppetserver/jruby-gems, "/usr/lib/puppetserver/vendored-jruby-gems"]
  server-conf-dir: /etc/puppet
  server-code-dir: /etc/puppet/code
  server-var-dir: /var/lib/puppetserver
  server-run-dir: /run/puppetserver
  server-log-dir: /var/log/puppetserver
  max-active-instances: 1
}
http-client: {}
profiler: { enabled: false }
product: { check-for-updates: false }
END
sed -i '/analytics/d' /etc/puppet/puppetserver/services.d/bootstrap.cfg
chmod 0755 /etc/puppet/img-autosign
mkdir -p /run/puppetserver /var/log/puppetserver /var/lib/puppetserver/jruby-gems /run/img/token
mv /etc/puppet/img-token /run/img/token/value
echo '127.0.0.1 localhost ${serverName}' >/run/img/hosts
mount --bind /run/img/hosts /etc/hosts
/usr/share/puppetserver/cli/apps/ca setup --config /etc/puppet/puppet.conf --certname ${serverName} \\
  --subject-alt-names ${serverName} --ca-name 'CA of one build' --root-ca-name 'Root CA of one build'
cp /var/lib/puppet/ssl/certs/ca.pem /run/img/shared/ca.pem
chown -R puppet:puppet /etc/puppet/puppet.conf /etc/puppet/img-* /run/img/token /run/puppetserver /var/log/puppetserver \\
  /var/lib/puppet /var/lib/puppetserver /var/cache
cd /usr/share/puppetserver
exec setpriv --reuid=puppet --regid=puppet --clear-groups --no-new-privs --pdeathsig=KILL java -Xms512m -Xmx768m \\
  -XX:+UseSerialGC \\
  -XX:TieredStopAtLevel=1 -Xshare:auto -Djruby.logger.class=com.puppetlabs.jruby_utils.jruby.Slf4jLogger \\
  -Djruby.lib=/usr/share/jruby/lib -Dlogappender=STDOUT -jar /usr/share/puppetserver/puppetserver.jar \\
  --config /etc/puppet/puppetserver/conf.d --bootstrap-config /etc/puppet/puppetserver/services.d
`

/** In the tool tree of a running server: the agent's certificate is revoked and its files are deleted. */
export const revokeCertificate = (certname: string): readonly string[] => [
  '/usr/share/puppetserver/cli/apps/ca',
  'clean',
  '--config',
  '/etc/puppet/puppet.conf',
  '--certname',
  certname,
]
