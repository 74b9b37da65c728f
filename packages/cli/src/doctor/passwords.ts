import { finding, type Check } from './finding.ts'
import { installationHere } from './installation.ts'

/** Signing in with it takes this long at least; a machine that needs more than that is too slow, or too busy. */
const hashMsMax = 1_000

/** Hashing has a native part for each platform, where this is the machine of the server. */
export const checkPasswords: Check = async ({ io }) => {
  if ((await installationHere(io)) === null) return []
  const { hashOnce } = await import('@postern/server')
  try {
    const ms = Math.round(await hashOnce())
    const slow = 'The machine is too slow or too busy for people to sign in.'
    return [finding(ms < hashMsMax, 'passwords', `hashed and checked in ${ms} ms`, slow)]
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return [
      finding(false, 'passwords', `cannot be hashed here: ${why}`, 'npm ci   (on this machine, for its platform)'),
    ]
  }
}
