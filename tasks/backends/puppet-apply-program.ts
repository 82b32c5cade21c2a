// The Ruby side of puppetApply, as text: it is written into the image's /run and needs nothing but puppet.

/**
 * Applies /run/img/puppet/catalog.json and turns the run's last_run_report.yaml into report.json. Every directory
 * puppet writes to is under /run/img/puppet, so that nothing of the run stays in the image.
 */
export const applyProgram: string = String.raw`# With an argument: the tool tree whose puppet this is, seen from the image's root.
home = '/run/img/puppet'
if (tools = ARGV.shift)
  # The paths compiled into ruby point to the image, which may have a ruby of another version.
  $LOAD_PATH.map! { |path| path.start_with?(tools) ? path : tools + path }
  require 'rubygems'
  Gem.define_singleton_method(:default_path) { [] }
  Gem.use_paths(home + '/gems', [])
  bases = '/usr/{share/rubygems-integration,lib/*/rubygems-integration,lib/ruby/gems,lib/*/ruby/gems}'
  Dir[tools + bases + '/*/specifications/*.gemspec'].sort.each do |file|
    $LOAD_PATH.concat(Gem::Specification.load(file).full_require_paths)
  end
end
require 'fileutils'
require 'json'
require 'puppet'
require 'puppet/util/command_line'
require 'puppet/indirector/code'
require 'puppet/node/facts'

# The machine that builds must not decide what a Deferred gives, so its facts are not collected.
class Puppet::Node::Facts::Img < Puppet::Indirector::Code
  desc 'What the image says of itself.'
  def find(request)
    Puppet::Node::Facts.new(request.key, 'os' => Puppet.runtime[:facter].value('os'))
  end
end

# puppet apply looks for functions in modules only, but here, as with an agent, their code is in libdir.
require 'puppet/application/apply'
class Puppet::Application::Apply
  def create_loaders(env)
    Puppet::Pops::Loaders.new(env, true, false)
  end
end

# What installs or runs something says nothing for as long as it takes, so that it is said before.
$stdout.sync = true
require 'puppet/transaction'
Puppet::Transaction::ResourceHarness.prepend(Module.new do
  def evaluate(resource)
    silent = resource.type == :package || (resource.type == :exec && resource[:refreshonly] != :true)
    puts "Applying #{resource.ref}" if silent
    super
  end
end)

catalog = JSON.parse(File.read(home + '/catalog.json'))
directories = { confdir: 'etc', codedir: 'code', vardir: 'var', statedir: 'state', ssldir: 'ssl', publicdir: 'public',
                logdir: 'log', rundir: 'run', basemodulepath: 'none', vendormoduledir: 'none',
                pluginfactdest: 'facts.d', environmentpath: 'environments' }
FileUtils.mkdir_p(home + '/environments/' + catalog.fetch('environment'))
arguments = ['apply', '--catalog', home + '/catalog.json', '--certname', catalog.fetch('name'),
             '--environment', catalog.fetch('environment'), '--facts_terminus', 'img',
             '--libdir', '/run/img/plugins', '--factpath', '/run/img/plugins/facter',
             '--color', 'false', '--logdest', 'console', '--no-splay', '--no-show_diff', '--reports', 'store']
arguments += directories.flat_map { |setting, name| ['--' + setting.to_s, home + '/' + name] }
begin
  Puppet::Util::CommandLine.new('puppet', arguments).execute
rescue SystemExit
  # puppet apply leaves with 0 also when resources failed: only the report counts.
end

exit 1 unless File.exist?(Puppet[:lastrunreport])
known = [Puppet::Transaction::Report, Puppet::Transaction::Event, Puppet::Resource::Status, Puppet::Util::Log,
         Puppet::Util::Metric, Puppet::Util::TagSet, Symbol, Time]
report = Puppet::Util::Yaml.safe_load_file(Puppet[:lastrunreport], known)
resources = report.resource_statuses.map do |name, status|
  failures = status.events.select { |event| event.status == 'failure' }.map { |event| event.message.to_s }
  { resource: name, failed: status.failed || status.failed_to_restart || false, changed: status.changed || false,
    skipped: status.skipped || false, messages: failures }
end
errors = report.logs.select { |log| %i[err alert emerg crit].include?(log.level) }
errors = errors.map { |log| { source: log.source.to_s, message: log.message.to_s } }
# The report may leave out resources that were as they should be; its metrics count them all.
total = report.metrics['resources']&.values&.find { |name, _, _| name.to_s == 'total' }&.last || resources.length
File.write(home + '/report.json',
           JSON.generate(status: report.status, total: total, resources: resources, errors: errors))
`
