import { execFile } from 'node:child_process'

export interface CurlAnswer {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of many shapes; each asserts what it reads
  readonly body: any
}

/** Runs the real curl with these arguments. */
export function curl(...args: readonly string[]): Promise<CurlAnswer> {
  return new Promise((resolve, reject) => {
    execFile(
      'curl',
      ['--silent', '--show-error', '--write-out', '\n%{http_code}', ...args],
      (error, stdout, stderr) => {
        if (error !== null) return reject(new Error(`curl: ${stderr}`, { cause: error }))
        const cut = stdout.lastIndexOf('\n')
        resolve({ status: Number(stdout.slice(cut + 1)), body: JSON.parse(stdout.slice(0, cut)) })
      },
    )
  })
}
