import { flag, html, type Html } from './html.ts'
import { dangerIcon, okIcon } from './icons.ts'

/** What is wrong with a field, by its name. */
export type Errors = Readonly<Record<string, string>>

export interface FieldParts {
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'email' | 'password'
  readonly autocomplete: string
  readonly value?: string
  readonly hint?: string
  /** A one-time code: digits, larger. */
  readonly code?: 'digits' | 'any'
  readonly optional?: boolean
  readonly readonly?: boolean
  readonly autofocus?: boolean
}

/** A label, its input, a hint, and what is wrong with it, tied together for whoever does not see them. */
export function field(parts: FieldParts, errors: Errors = {}): Html {
  const { name, label, hint } = parts
  const error = errors[name] ?? null
  const described = [...(hint === undefined ? [] : [`${name}-hint`]), ...(error === null ? [] : [`${name}-error`])]
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint === undefined ? null : html`<p class="hint" id="${name}-hint">${hint}</p>`}
    ${error === null ? null : html`<p class="error" id="${name}-error">${error}</p>`}
    <input
      id="${name}"
      name="${name}"
      type="${parts.type ?? 'text'}"
      autocomplete="${parts.autocomplete}"
      ${attributes(parts)}${
        described.length === 0 ? null : html` aria-describedby="${described.join(' ')}"`
      }${error === null ? null : html` aria-invalid="true"`}
    />
  </div>`
}

function attributes({ value, type, code, optional, readonly, autofocus }: FieldParts): Html {
  return html`${value === undefined ? null : html` value="${value}"`}${
    type === 'email' || code !== undefined ? html` autocapitalize="none" spellcheck="false"` : null
  }${code === undefined ? null : html` class="code"`}${code === 'digits' ? html` inputmode="numeric"` : null}${flag(
    'required',
    optional !== true,
  )}${flag('readonly', readonly === true)}${flag('autofocus', autofocus === true)}`
}

export const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}" />`

/** For password managers, which keep a password with an address. */
export const hiddenAccount = (email: string): Html =>
  html`<input type="text" name="email" autocomplete="username" value="${email}" hidden readonly />`

/** First on the page, so that it is read first; leads to the fields. */
export function errorSummary(errors: Errors, general: string | null = null): Html | null {
  const entries = Object.entries(errors)
  if (entries.length === 0 && general === null) return null
  return html`<div class="note danger" role="alert">
    ${dangerIcon}
    <div>
      ${general === null ? html`<h2>Please check what you entered</h2>` : html`<p>${general}</p>`}
      ${
        entries.length === 0
          ? null
          : html`<ul>
              ${entries.map(([name, text]) => html`<li><a href="#${name}">${text}</a></li>`)}
            </ul>`
      }
    </div>
  </div>`
}

export const okNote = (text: string): Html =>
  html`<div class="note ok" role="status">
    ${okIcon}
    <p>${text}</p>
  </div>`
