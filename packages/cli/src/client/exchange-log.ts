import { redact } from '../secret-shape.ts'

/** `--verbose`: the HTTP exchange, with secrets cut. */
export interface ExchangeLog {
  sent(method: string, url: URL, body: string | undefined): void
  received(response: Response, body: string): void
}

export const noExchangeLog: ExchangeLog = { sent: () => undefined, received: () => undefined }

export function exchangeLog(write: (text: string) => void): ExchangeLog {
  return {
    sent: (method, url, body) => {
      write(`> ${method} ${redact(url.href)}\n> authorization: Bearer [cut]\n`)
      if (body !== undefined) write(`> ${withoutSecrets(body)}\n`)
    },
    received: (response, body) => {
      write(`< ${response.status} ${response.statusText}\n`)
      for (const [name, value] of response.headers) write(`< ${name}: ${redact(value)}\n`)
      write(`< ${withoutSecrets(body)}\n`)
    },
  }
}

/** Fields that carry a secret or what stands for one, whatever they look like. */
function withoutSecrets(body: string): string {
  const cut = withoutThirdParties(body).replaceAll(
    /("(?:value|digest|secret|authorization|x-app-token|x-client-token|x-[a-z-]*api-key)"\s*:\s*)"[^"]*"/gi,
    '$1"[cut]"',
  )
  return redact(cut)
}

/** `secrets` of a connection has them by the names of the platform's fields; as a list it only describes them. */
function withoutThirdParties(body: string): string {
  if (!body.includes('"secrets"')) return body
  try {
    const value: unknown = JSON.parse(body)
    return JSON.stringify(value, (name, field: unknown) =>
      name === 'secrets' && !Array.isArray(field) ? '[cut]' : field,
    )
  } catch {
    return '[cut]'
  }
}
