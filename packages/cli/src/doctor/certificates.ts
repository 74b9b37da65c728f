import { finding, type Check } from './finding.ts'
import { installationHere } from './installation.ts'

const dayMs = 86_400_000
const soonDays = 14

/** How long the certificates of the listeners last. */
export const checkCertificates: Check = async ({ io }) => {
  const here = await installationHere(io)
  return (here?.certificates ?? []).map(({ file, expiresAt }) => {
    const daysLeft = Math.floor((expiresAt - io.now()) / dayMs)
    const found = `${file} ${daysLeft < 0 ? 'expired' : 'expires'} at ${new Date(expiresAt).toISOString()}`
    return finding(daysLeft >= soonDays, 'certificate', found, 'Renew it; the server takes the new file by itself.')
  })
}
