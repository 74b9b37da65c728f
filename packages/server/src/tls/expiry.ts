import type { Clock, Timer } from '../base/clock.ts'
import type { Certificate } from '../core/tls/certificate.ts'

const dayMs = 86_400_000
const soonDays = 21

/** Tells each day, and at once, which certificates expire soon or have. */
export function watchExpiry(parts: {
  readonly clock: Clock
  readonly certificates: () => readonly Certificate[]
  readonly tell: (event: string, fields: Readonly<Record<string, unknown>>) => void
}): Timer & { look(): void } {
  const { clock, certificates, tell } = parts
  const look = (): void => {
    for (const { file, names, expiresAt } of certificates()) {
      const daysLeft = Math.floor((expiresAt - clock.now()) / dayMs)
      if (daysLeft >= soonDays) continue
      const event = expiresAt <= clock.now() ? 'certificate.expired' : 'certificate.expires_soon'
      tell(event, { file, names, expires_at: new Date(expiresAt).toISOString(), days_left: daysLeft })
    }
  }
  const timer = clock.every(dayMs, look)
  return { look, stop: () => timer.stop() }
}
