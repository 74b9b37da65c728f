import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate and its private key, both PEM; the key is PKCS #8. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

interface IssueOptions {
  /** DNS names and IPv4 addresses of the subject alternative name; the first is the common name as well. */
  readonly names: readonly string[]
  /** For a client of mutual TLS instead of a server. */
  readonly client?: boolean
  readonly notBefore?: Date
  readonly notAfter?: Date
}

export interface Authority {
  /** The authority's own certificate, PEM: what a peer has to trust. */
  readonly cert: string
  issue(options: IssueOptions): Issued
}

/** A certificate authority with a name and key of its own: what one issued, no other vouches for. */
export function makeAuthority(): Authority {
  const { publicKey, privateKey } = keyPair()
  const issuer = distinguishedName(`test authority ${randomBytes(4).toString('hex')}`)
  const by = { issuer, issuerKey: privateKey }
  return {
    cert: certificate({
      ...by,
      subject: issuer,
      subjectKey: publicKey,
      extensions: authorityExtensions,
      validity: validity(hoursFromNow(-1), hoursFromNow(24)),
    }),
    issue: ({ names, client = false, notBefore = hoursFromNow(-1), notAfter = hoursFromNow(24) }) => {
      const leaf = keyPair()
      const cert = certificate({
        ...by,
        subject: distinguishedName(names[0] ?? 'nameless'),
        subjectKey: leaf.publicKey,
        extensions: leafExtensions(names, client),
        validity: validity(notBefore, notAfter),
      })
      return { cert, key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
    },
  }
}

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const hoursFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000)

interface Contents {
  readonly subject: Buffer
  readonly subjectKey: KeyObject
  readonly issuer: Buffer
  readonly issuerKey: KeyObject
  readonly extensions: Buffer
  readonly validity: Buffer
}

/** A certificate of version 3, signed by ECDSA with SHA-256 (RFC 5280, section 4.1), as PEM. */
function certificate({ subject, subjectKey, issuer, issuerKey, extensions, validity: valid }: Contents): string {
  const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'))
  const serial = element(0x02, Buffer.concat([Buffer.from([0x5a]), randomBytes(15)]))
  const publicKey = subjectKey.export({ type: 'spki', format: 'der' })
  const version = tagged(0, element(0x02, Buffer.from([2])))
  const body = sequence(version, serial, ecdsaWithSha256, issuer, valid, subject, publicKey, tagged(3, extensions))
  const der = sequence(body, ecdsaWithSha256, bitString(0, sign('sha256', body, issuerKey)))
  const lines = der.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

const distinguishedName = (commonName: string) =>
  sequence(element(0x31, sequence(identifier('2.5.4.3'), element(0x0c, Buffer.from(commonName)))))

const validity = (notBefore: Date, notAfter: Date) => sequence(time(notBefore), time(notAfter))

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280, section 4.1.2.5). */
function time(at: Date): Buffer {
  const digits = `${at.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
  return at.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}

const yes = element(0x01, Buffer.from([0xff]))
const basicConstraints = '2.5.29.19'
const keyUsage = '2.5.29.15'
const extendedKeyUsage = '2.5.29.37'
const subjectAltName = '2.5.29.17'
const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'

const authorityExtensions = sequence(
  critical(basicConstraints, sequence(yes)),
  // keyCertSign and cRLSign.
  critical(keyUsage, bitString(1, Buffer.from([0b0000_0110]))),
)

function leafExtensions(names: readonly string[], client: boolean): Buffer {
  return sequence(
    critical(basicConstraints, sequence()),
    // digitalSignature.
    critical(keyUsage, bitString(7, Buffer.from([0b1000_0000]))),
    extension(extendedKeyUsage, sequence(identifier(client ? clientAuth : serverAuth))),
    extension(subjectAltName, sequence(...names.map(generalName))),
  )
}

/** iPAddress or dNSName (RFC 5280, section 4.2.1.6). */
function generalName(name: string): Buffer {
  return isIP(name) === 4 ? element(0x87, Buffer.from(name.split('.').map(Number))) : element(0x82, Buffer.from(name))
}

function critical(id: string, value: Buffer): Buffer {
  return sequence(identifier(id), yes, element(0x04, value))
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(identifier(id), element(0x04, value))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts))
}

/** An explicit context tag around a value (X.690, section 8.14). */
function tagged(tag: number, value: Buffer): Buffer {
  return element(0xa0 + tag, value)
}

function bitString(unusedBits: number, value: Buffer): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([unusedBits]), value]))
}

/** An object identifier: the first two arcs in one byte, the others in base 128 (X.690, section 8.19). */
function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...arcs.flatMap(base128)]))
}

function base128(arc: number): number[] {
  const bytes = [arc % 128]
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) + 128)
  return bytes
}

/** Tag, length in its shortest form, value (X.690, section 10.1). */
function element(tag: number, value: Buffer): Buffer {
  const { length } = value
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), value])
}
