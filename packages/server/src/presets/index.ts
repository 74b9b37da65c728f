import type { Preset } from '../core/apis/api.ts'
import { cardconnect } from './cardconnect.ts'
import { clickmeter } from './clickmeter.ts'
import { generic } from './generic.ts'
import { anthropic } from './llm-anthropic.ts'
import { gemini } from './llm-gemini.ts'
import { mistral } from './llm-mistral.ts'
import { ollama, openai } from './llm-openai.ts'
import { throughline } from './throughline.ts'
import { voucherify } from './voucherify.ts'
import { wecantrack } from './wecantrack.ts'

/** Every preset, in the order in which they are shown. A new vendor is a new file and one line here. */
export const presets: readonly Preset[] = [generic, wecantrack, clickmeter, cardconnect, voucherify, throughline]

/** Providers of language models: one preset, `llm`, with the wire form of each. */
export const llmPresets = { openai, anthropic, mistral, gemini, ollama } as const satisfies Record<string, Preset>
export const llmPresetId = 'llm'
