import type { CommandNode } from './tree.ts'

export function bashCompletion(nodes: readonly CommandNode[]): string {
  return `# alias postern='npx postern'; source <(postern completion bash)
_postern() {
  local path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case " $(_postern_words "$path") " in *" $word "*) path="\${path:+$path }$word" ;; esac ;; esac
  done
  COMPREPLY=($(compgen -W "$(_postern_words "$path")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
_postern_words() {
  case "$1" in
${cases(nodes, '    ', (words) => `echo "${words.join(' ')}"`)}
  esac
}
complete -o default -F _postern postern
`
}

export function zshCompletion(nodes: readonly CommandNode[]): string {
  return `#compdef postern
# alias postern='npx postern'; source <(postern completion zsh)
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(nodes)}`
}

export function fishCompletion(nodes: readonly CommandNode[]): string {
  const lines = nodes.flatMap(({ path, words }) =>
    words.map(({ word, about }) => {
      const what = word.startsWith('--')
        ? `-l ${word.slice(2)}`
        : word.startsWith('-')
          ? `-s ${word.slice(1)}`
          : `-a ${word}`
      return `complete -c postern -f -n '__postern_at "${path}"' ${what} -d '${about.replaceAll("'", "\\'")}'`
    }),
  )
  return `# alias postern='npx postern'; postern completion fish | source
function __postern_at
  set -l words (string match -v -- '-*' (commandline -opc)[2..-1])
  test "$words" = "$argv[1]"
end
${lines.join('\n')}
`
}

function cases(nodes: readonly CommandNode[], indent: string, body: (words: readonly string[]) => string): string {
  return nodes.map(({ path, words }) => `${indent}"${path}") ${body(words.map(({ word }) => word))} ;;`).join('\n')
}
