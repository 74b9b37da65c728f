import { Argument, type Command } from 'commander'

import type { AddCommand } from '../command.ts'
import { bashCompletion, fishCompletion, zshCompletion } from '../completion/scripts.ts'
import { commandTree } from '../completion/tree.ts'
import type { Tools } from '../tools.ts'

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** `postern completion`: a script for the shell, made from the commands themselves. */
export const completion: AddCommand = (program, run) => {
  program
    .command('completion')
    .description("print a completion script: alias postern='npx postern'; source <(postern completion bash)")
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(shells)))
    .action(run(({ io }: Tools, shell: keyof typeof shells) => write(io, program, shell)))
}

function write(io: Tools['io'], program: Command, shell: keyof typeof shells): undefined {
  io.stdout.write(shells[shell](commandTree(program)))
}
