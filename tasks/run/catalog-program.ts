// The Ruby side of compileCatalog, as text: it runs in the tool tree and needs nothing but puppet.

const head = String.raw`require 'json'
require 'stringio'
# The answer goes where stdout was; whatever else is printed goes to stderr.
answer = STDOUT.dup
STDOUT.reopen(STDERR)
input = JSON.parse(File.read('/run/img/input.json'))
node = input.fetch('node')
production = '/run/img/environments/production'

`

const prelude = String.raw`require 'puppet'
require 'puppet/util/command_line'
require 'puppet/parser/compiler'
require 'puppet/indirector/code'
require 'puppet/indirector/catalog/compiler'
require 'puppet/node/facts'
require 'puppet/node/server_facts'
require 'puppet/context/trusted_information'
require 'puppet/pops/lookup/hiera_config'

module Img
  class << self
    attr_accessor :undeclared, :subject, :error

    def refuse(path)
      self.undeclared ||= path.join('.').delete_prefix('::')
      raise Puppet::Error, 'undeclared fact ' + undeclared
    end

    # Line of the hierarchy or data file that holds the text being interpolated.
    def place_of_subject(environment)
      return if subject.nil?
      files = [environment + '/hiera.yaml'] + Dir[environment + '/**/*.{yaml,json}'].sort
      files.select { |file| File.file?(file) }.each do |file|
        File.foreach(file).with_index(1) { |line, number| return [file, number] if line.include?(subject) }
      end
      nil
    end
  end

  # What is not declared is an error that names it, where Puppet would go on with undef. A module on real hashes,
  # since Puppet's type system takes an instance of a subclass of Hash for a foreign object.
  module Facts
    def self.wrap(value, path)
      case value
      when Hash
        facts = value.to_h { |key, inner| [key, wrap(inner, path + [key])] }
        facts.instance_variable_set(:@img_path, path)
        facts.extend(Facts)
      when Array then value.map { |inner| wrap(inner, path) }
      else value
      end
    end

    def [](key)
      Img.refuse(@img_path + [key]) unless key?(key)
      super
    end

    def fetch(key, *)
      Img.refuse(@img_path + [key]) unless key?(key)
      super
    end

    def dig(key, *)
      Img.refuse(@img_path + [key]) unless key?(key)
      super
    end

    # Hiera asks this before it reads; "in" of the Puppet language goes over the keys instead.
    def include?(key)
      key?(key) || Img.refuse(@img_path + [key])
    end
  end

  module StrictNode
    def set_node_parameters
      node.facts.values.each_key { |name| node.parameters[name] = Facts.wrap(node.parameters[name], [name]) }
      super
    end
  end

  module StrictScope
    def set_facts(hash)
      super(Facts.wrap(hash, []))
    end
  end

  # Hiera turns an unknown variable into an empty string, so a missing fact would silently choose another file.
  module StrictHiera
    OPTIONAL = %w[module_name calling_module calling_class calling_class_path].freeze

    def remember_scope_lookup(key, root_key, segments, value)
      Img.refuse(root_key == 'facts' ? segments : [root_key] + segments) if value.nil? && !OPTIONAL.include?(root_key)
      super
    end
  end

  module Subject
    def interpolate_string(subject, *)
      Img.subject = subject if Img.undeclared.nil?
      super
    end
  end

  module Remember
    def compile(*)
      super
    rescue StandardError => e
      Img.error = e
      raise
    end
  end
end

Puppet::Parser::Compiler.prepend(Img::StrictNode)
Puppet::Parser::Scope.prepend(Img::StrictScope)
Puppet::Resource::Catalog::Compiler.prepend(Img::Remember)
Puppet::Pops::Lookup::Invocation.prepend(Img::StrictHiera)
Puppet::Pops::Lookup::ScopeLookupCollectingInvocation.prepend(Img::StrictHiera)
Puppet::Pops::Lookup::Interpolation.prepend(Img::Subject)

Puppet::Node::ServerFacts.define_singleton_method(:load) do
  { 'serverversion' => Puppet.version, 'servername' => 'img', 'serverip' => '127.0.0.1' }
end

class Puppet::Node::Facts::Img < Puppet::Indirector::Code
  desc 'The facts an imgfile declares, and nothing else: facter is never asked.'
  class << self
    attr_accessor :declared
  end

  def find(request)
    Puppet::Node::Facts.new(request.key, JSON.parse(JSON.generate(self.class.declared)))
  end
end
`

const run = String.raw`Puppet::Context::TrustedInformation.define_singleton_method(:local) { |_| new('local', node, {}, {}) }
Puppet::Node::Facts::Img.declared = input.fetch('facts')

arguments = ['catalog', 'compile', node, '--certname', node, '--render-as', 'rich_data_json', '--log_level', 'err',
             '--color', 'false', '--facts_terminus', 'img', '--node_terminus', 'plain',
             '--environmentpath', '/run/img/environments', '--environment', 'production',
             '--strict', 'error', '--strict_variables', '--no-static_catalogs']
directories = { confdir: 'etc', codedir: 'code', vardir: 'var', statedir: 'state', ssldir: 'ssl', publicdir: 'public',
                logdir: 'log', rundir: 'run', basemodulepath: 'none', vendormoduledir: 'none', hiera_config: 'none' }
arguments += directories.flat_map { |setting, name| ['--' + setting.to_s, '/run/img/puppet/' + name] }
printed = $stdout = StringIO.new
begin
  Puppet::Util::CommandLine.new('puppet', arguments).execute
rescue SystemExit
  # A catalog or the remembered error tells what happened.
end
$stdout = STDOUT

begin
  raise Img.error if Img.error
  environment = Puppet.lookup(:environments).get('production')
  manifest = environment.manifest
  found = manifest != :no_manifest && (File.file?(manifest) || !Dir[manifest + '/**/*.pp'].empty?)
  if found
    modules = environment.modules.map { |mod| { name: mod.name, path: mod.path.delete_prefix(production + '/') } }
    answer.puts JSON.generate(catalog: JSON.parse(printed.string), modules: modules)
  else
    answer.puts JSON.generate(error: { message: 'there is no manifest to compile', file: production + '/manifests' })
  end
rescue StandardError => e
  place = e
  place = place.original while !(place.respond_to?(:file) && place.file) && place.respond_to?(:original) && place.original
  file, line = place.file, place.line if place.respond_to?(:file)
  file, line = Img.place_of_subject(production) if file.nil? && Img.undeclared
  message = e.respond_to?(:basic_message) ? e.basic_message : e.message
  answer.puts JSON.generate(error: { message: message, file: file, line: line, undeclared: Img.undeclared })
end
`

const serverHead = String.raw`require 'json'
require 'fileutils'
require 'stringio'
STDOUT.reopen(STDERR)
production = '/run/img/environments/production'
`

const serverLoop = `
socket = IO.for_fd(3, 'r+')
socket.sync = true
while (question = socket.gets)
  FileUtils.rm_rf('/run/img/puppet')
  FileUtils.mkdir_p('/run/img/puppet')
  from, to = IO.pipe
  pid = fork do
    from.close
    answer = to
    input = JSON.parse(question)
    node = input.fetch('node')
${run}
    to.close
    exit!(0)
  end
  to.close
  said = from.read
  from.close
  Process.wait(pid)
  socket.puts(said.empty? ? '{}' : said.lines.first.chomp)
end
`

/**
 * `puppet catalog compile` with what it would ask the host for replaced: facts are the declared ones and an undeclared
 * one is an error, trusted and server facts are constant. Reads /run/img/input.json, answers one line of JSON.
 */
export const compileProgram: string = `${head}${prelude}${run}`

/**
 * The same with puppet loaded before anybody asks. Descriptor 3 brings questions and takes answers, one line of JSON
 * each; every question is answered by a process of its own, so that none leaves anything for the next.
 */
export const compileServer: string = `${serverHead}${prelude}${serverLoop}`
