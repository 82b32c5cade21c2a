// The one importer of the package that reads YAML. Pure.

export { isMap, isScalar, LineCounter, parse, parseDocument, type YAMLMap } from 'yaml'
