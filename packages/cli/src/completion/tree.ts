import type { Command } from 'commander'

/** A command as a shell completes it. */
export interface CommandNode {
  /** Words that lead to it, without the program's own name; '' for the program itself. */
  readonly path: string
  readonly words: readonly { readonly word: string; readonly about: string }[]
}

/** Every command with the subcommands and options that can follow it. */
export function commandTree(program: Command): readonly CommandNode[] {
  const nodes: CommandNode[] = []
  const visit = (command: Command, path: readonly string[]): void => {
    const inherited = path.length === 0 ? [] : program.options
    nodes.push({
      path: path.join(' '),
      words: [
        ...command.commands.map((child) => ({ word: child.name(), about: child.description() })),
        ...[...command.options, ...inherited].map((option) => ({
          word: option.long ?? option.short ?? '',
          about: option.description,
        })),
      ],
    })
    for (const child of command.commands) visit(child, [...path, child.name()])
  }
  visit(program, [])
  return nodes
}
