import type { Platform } from '../platform.ts'
import { activecampaign } from './activecampaign.ts'
import { anthropic } from './anthropic.ts'
import { batch } from './batch.ts'
import { bigcommerce } from './bigcommerce.ts'
import { bloomreachEngagement } from './bloomreach-engagement.ts'
import { braze } from './braze.ts'
import { cmTelecom } from './cm-telecom.ts'
import { custom } from './custom.ts'
import { gemini } from './gemini.ts'
import { googleAnalytics } from './google-analytics.ts'
import { intercom } from './intercom.ts'
import { klaviyo } from './klaviyo.ts'
import { mailchimp } from './mailchimp.ts'
import { mailgun } from './mailgun.ts'
import { mandrill } from './mandrill.ts'
import { mistral } from './mistral.ts'
import { mparticle } from './mparticle.ts'
import { ollama } from './ollama.ts'
import { openai } from './openai.ts'
import { segment } from './segment.ts'
import { sendgrid } from './sendgrid.ts'
import { textlocal } from './textlocal.ts'
import { twilio } from './twilio.ts'

/** Every platform, in the order in which they are shown. A new one is a new file and one line here. */
export const platforms: readonly Platform[] = [
  activecampaign,
  batch,
  bigcommerce,
  bloomreachEngagement,
  braze,
  cmTelecom,
  googleAnalytics,
  intercom,
  klaviyo,
  mailchimp,
  mailgun,
  mandrill,
  mparticle,
  segment,
  sendgrid,
  textlocal,
  twilio,
  openai,
  anthropic,
  mistral,
  gemini,
  ollama,
  custom,
]

const byId = new Map(platforms.map((platform) => [platform.id, platform]))

export function platformOf(id: string): Platform | null {
  return byId.get(id) ?? null
}
