import type { Preset } from '../core/apis/api.ts'
import { cardconnect } from './cardconnect.ts'
import { clickmeter } from './clickmeter.ts'
import { generic } from './generic.ts'
import { voucherify } from './voucherify.ts'
import { wecantrack } from './wecantrack.ts'

/** Every preset, in the order in which they are shown. A new vendor is a new file and one line here. */
export const presets: readonly Preset[] = [generic, wecantrack, clickmeter, cardconnect, voucherify]
