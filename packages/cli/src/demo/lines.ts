import type { DemoPorts } from './ports.ts'
import type { Provisioned } from './provision.ts'

/** A line to paste into bash, and the status that it answers. */
interface DemoLine {
  readonly command: string
  /** `200`, `403 scope_missing`, `exit 0` */
  readonly answer: string
}

export interface DemoGroup {
  readonly title: string
  readonly about: string
  readonly lines: readonly DemoLine[]
}

/** `postern` is how the command line is called here: with POSTERN_URL before it where the console is elsewhere. */
export function demoGroups(ports: DemoPorts, { credentials }: Provisioned, postern: string): readonly DemoGroup[] {
  const { wecantrack, clickmeter, readOnly, cardconnect, server, client, llm, spent, rotated, revoked } = credentials
  const data = at(ports.wecantrack, '/v1/data')
  const links = at(ports.clickmeter, '/v2/links')
  const transactions = at(ports.cardconnect, '/v1/transactions')
  const bearer = (key: string) => `curl -X GET ${data} -H 'Accept: application/json' -H 'Authorization: Bearer ${key}'`
  return [
    { title: 'WeCanTrack', about: 'Authorization: Bearer', lines: [ok(bearer(wecantrack.secret))] },
    {
      title: 'ClickMeter',
      about: 'a header of its own, or the query',
      lines: [
        ok(`curl -X GET ${links} -H 'X-ClickMeter-API-Key: ${clickmeter.secret}' -H 'Content-Type: application/json'`),
        ok(`curl -X GET '${links}?api_key=${clickmeter.secret}' -H 'Content-Type: application/json'`),
      ],
    },
    {
      title: 'Card Connect',
      about: 'X-Api-Key, or Basic with the public id as user and the key as password',
      lines: [
        ok(`curl -X GET ${transactions} -H 'X-Api-Key: ${cardconnect.secret}'`),
        ok(`curl -X GET ${transactions} -u '${cardconnect.public_id}:${cardconnect.secret}'`),
      ],
    },
    {
      title: 'Voucherify',
      about: 'a pair for pages, bound to an origin, and one for servers',
      lines: [
        ok(
          `curl -X GET -H "X-Client-Application-Id: ${client.public_id}" -H "X-Client-Token: ${client.secret}" -H "Content-Type: application/json" -H "origin: yourdomain.com" -d '{"order":{"amount":20000}}' "${at(ports.voucherify, '/client/v1/validate?code=BLCKFRDY')}"`,
        ),
        ok(
          `curl -X GET ${at(ports.voucherify, '/v1/vouchers')} -H 'X-App-Id: ${server.public_id}' -H 'X-App-Token: ${server.secret}'`,
        ),
      ],
    },
    {
      title: 'Language models',
      about: 'a stand-in answers for each provider; official clients need only base URL and key (README)',
      lines: [
        ok(chat(ports.llm, llm.secret)),
        ok(
          `curl ${at(ports.llm, '/anthropic/v1/messages')} -H 'x-api-key: ${llm.secret}' -H 'anthropic-version: 2023-06-01' -H 'Content-Type: application/json' -d '{"model":"stand-in","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}'`,
        ),
        ok(
          `curl ${at(ports.llm, '/gemini/v1beta/models/stand-in:generateContent')} -H 'x-goog-api-key: ${llm.secret}' -H 'Content-Type: application/json' -d '{"contents":[{"parts":[{"text":"hello"}]}]}'`,
        ),
        { command: chat(ports.llm, llm.secret, 'another-model'), answer: '403 model_not_allowed' },
        { command: chat(ports.llm, spent.secret), answer: '429 budget_exceeded' },
      ],
    },
    {
      title: 'Refused, and why',
      about: 'a key that may only read tries to write',
      lines: [
        {
          command: `curl -X POST ${links} -H 'X-ClickMeter-API-Key: ${readOnly.secret}' -H 'Content-Type: application/json' -d '{"destination":"https://shop.example"}'`,
          answer: '403 scope_missing',
        },
        { command: `${postern} explain --last`, answer: 'exit 3' },
      ],
    },
    {
      title: 'Rotate',
      about: 'a new secret; the old one works for another hour',
      lines: [
        {
          command: `${postern} key rotate ${rotated.id} --overlap 1h --to env-file:.postern/rotated.env`,
          answer: 'exit 0',
        },
        ok(bearer(rotated.secret)),
      ],
    },
    {
      title: 'Revoke',
      about: 'nothing is accepted from the moment that it is answered',
      lines: [
        { command: `${postern} key revoke ${revoked.id} --yes`, answer: 'exit 0' },
        { command: bearer(revoked.secret), answer: '401 credential_revoked' },
      ],
    },
  ]
}

function chat(port: number, key: string, model = 'stand-in'): string {
  return `curl ${at(port, '/openai/v1/chat/completions')} -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' -d '{"model":"${model}","messages":[{"role":"user","content":"hello"}]}'`
}

function at(port: number, path: string): string {
  return `http://127.0.0.1:${port}${path}`
}

function ok(command: string): DemoLine {
  return { command, answer: '200' }
}
