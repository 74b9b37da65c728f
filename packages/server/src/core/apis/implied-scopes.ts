/** Scope → every scope that it stands for beside itself, however far down. */
export type ImpliedScopes = ReadonlyMap<string, ReadonlySet<string>>

export const noImpliedScopes: ImpliedScopes = new Map()

/** All that follows from what each scope says of itself. Scopes that imply each other are two names for one thing. */
export function impliedScopes(direct: ReadonlyMap<string, readonly string[]>): ImpliedScopes {
  const implied = new Map<string, ReadonlySet<string>>()
  for (const [name, included] of direct) {
    const all = new Set(included)
    // A set that grows while it is walked is walked to its end.
    for (const scope of all) for (const further of direct.get(scope) ?? []) all.add(further)
    all.delete(name)
    if (all.size > 0) implied.set(name, all)
  }
  return implied
}

/** The scopes and all that they imply: first those that were named, then what follows from them. */
export function withImplied(scopes: Iterable<string>, implies: ImpliedScopes): ReadonlySet<string> {
  const all = new Set(scopes)
  if (implies.size > 0) for (const scope of scopes) for (const further of implies.get(scope) ?? []) all.add(further)
  return all
}

/** As few names as say the same: what follows from another one is left out, unless it is one of `named`. */
export function summedUp(
  held: ReadonlySet<string>,
  named: readonly string[],
  implies: ImpliedScopes,
): readonly string[] {
  const said = [...new Set(named)].filter((scope) => held.has(scope))
  if (implies.size === 0) return said
  const covered = new Set(withImplied(said, implies))
  for (const scope of held) {
    if (covered.has(scope)) continue
    said.push(scope)
    for (const further of withImplied([scope], implies)) covered.add(further)
  }
  return said
}
