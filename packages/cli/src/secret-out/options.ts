import type { Command } from 'commander'

/** Options of every command that answers a new secret. */
export function withSecretOptions(command: Command, variable = 'API_KEY'): Command {
  return command
    .option('--show-secret', 'print the secret although standard output is no terminal')
    .option('--to <target>', 'write it to env-file:PATH instead of printing it')
    .option('--env-name <NAME>', 'name of the variable in that file', variable)
}
