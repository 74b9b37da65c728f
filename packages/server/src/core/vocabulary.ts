/** Words that several parts of the domain share. */

export type Environment = 'live' | 'sandbox'

export type Metadata = Readonly<Record<string, string>>

export type SecretOrigin = 'first' | 'regenerated' | 'imported'
