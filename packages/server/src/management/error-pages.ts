import { createHash } from 'node:crypto'

import { type Code, type CodeRow, codeRow, codes, isCode } from '@postern/contract'
import type { FastifyInstance, FastifyReply } from 'fastify'

import { Refused } from './problems.ts'

/** One small page for each code, and a list of them: where `type` of every problem points. */
export function errorPages(app: FastifyInstance): void {
  app.get('/docs/errors', { schema: { hide: true } }, async (_request, reply) => await sendPage(reply, indexPage()))

  app.get<{ Params: { code: string } }>('/docs/errors/:code', { schema: { hide: true } }, async (request, reply) => {
    const { code } = request.params
    if (!isCode(code)) throw new Refused('not_found')
    return await sendPage(reply, codePage(code, codeRow(code)))
  })
}

const policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

async function sendPage(reply: FastifyReply, html: string): Promise<FastifyReply> {
  reply.header('content-security-policy', `${policy}; style-src '${styleHash}'`)
  return await reply.type('text/html; charset=utf-8').serializer(String).send(html)
}

const stages: Readonly<Record<CodeRow['stage'], string>> = {
  wire: 'The HTTP message itself',
  transport: 'How the request travelled',
  match: 'Which API was addressed',
  present: 'Whether a credential was sent',
  known: 'Whether the credential is known',
  state: 'State of the credential',
  fit: 'Whether the credential fits the request',
  limits: 'Limits and quotas',
  oauth: 'Tokens and authorization',
  forward: 'The API behind the gateway',
  management: 'The management API',
}

function codePage(code: Code, row: CodeRow): string {
  const audience =
    row.holderOnly === true
      ? '<p>Only the holder of the whole credential is told this; anyone else reads <code>credential_unknown</code>.</p>'
      : ''
  return page(
    row.title,
    `<p class="code"><code>${code}</code> · HTTP ${row.status}</p>
<h1>${escapeHtml(row.title)}</h1>
<p>${withCode(escapeHtml(row.detail))}</p>
<p>Checked: ${escapeHtml(stages[row.stage])}.</p>
${audience}
<p>The answer carries <code>request_id</code>. With it the provider can read every check that was made.</p>
<p><a href="/docs/errors">All codes</a></p>`,
  )
}

function indexPage(): string {
  const rows = Object.entries<CodeRow>(codes)
  const sections = Object.entries(stages).map(([stage, title]) => {
    const items = rows
      .filter(([, row]) => row.stage === stage)
      .map(
        ([code, row]) =>
          `<li><a href="/docs/errors/${code}"><code>${code}</code></a> ${row.status} — ${escapeHtml(row.title)}</li>`,
      )
    return `<h2>${escapeHtml(title)}</h2>\n<ul>\n${items.join('\n')}\n</ul>`
  })
  return page('Error codes', `<h1>Error codes</h1>\n${sections.join('\n')}`)
}

/** Names of fields, which stand between backticks. */
function withCode(html: string): string {
  return html.replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const style = `:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,sans-serif;max-width:42rem;margin:4rem auto;padding:0 1.5rem}
h1{font-size:1.5rem;line-height:1.3;margin:.5rem 0 1rem}
h2{font-size:1rem;margin:2rem 0 .5rem}
ul{padding:0;list-style:none}
code{font:.9em ui-monospace,monospace}
.code{opacity:.75;margin:0}`

const styleHash = `sha256-${createHash('sha256').update(style).digest('base64')}`

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}
