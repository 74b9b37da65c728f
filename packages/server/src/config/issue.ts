/** What is wrong with the configuration, and where. A sentence that says what is allowed. */
export interface ConfigError {
  readonly file: string
  /** 1-based; null where no line can be named, such as a variable of the environment. */
  readonly line: number | null
  readonly column: number | null
  /** `apis.shop.address`; '' for the file as a whole. */
  readonly path: string
  readonly message: string
}

/** Something to know that is no error. */
export type ConfigNote = ConfigError

/** `postern.yaml:12:5 apis.shop.adress: unknown key; did you mean "address"?` */
export function formatConfigError(error: ConfigError): string {
  const place = error.line === null ? error.file : `${error.file}:${error.line}:${error.column ?? 1}`
  return error.path === '' ? `${place}: ${error.message}` : `${place} ${error.path}: ${error.message}`
}

export type Path = readonly (string | number)[]

export function pathText(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('')
}
