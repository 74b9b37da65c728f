import type { ConfigError } from '@postern/server'

/** `file:line:column  what`: every error of a configuration, one a line. */
export function configErrorLine({ file, line, column, path, message }: ConfigError): string {
  const place = line === null ? file : `${file}:${line}:${column ?? 1}`
  return `${place}  ${path === '' ? message : `${path}: ${message}`}`
}
