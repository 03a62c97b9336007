/** Shells that completion can be had for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/**
 * The script that a shell reads once. It knows no command: at each Tab it asks `tributary complete`, which answers from the commands
 * themselves, so a newer version needs no new script. Candidates are lines of `value<TAB>description`.
 */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]
}

const BASH = `# Completion of tributary for bash. Add to ~/.bashrc:  source <(tributary completion bash)
_tributary() {
  local IFS=$'\\n' line
  COMPREPLY=()
  while IFS= read -r line; do
    [ -n "$line" ] && COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(tributary complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _tributary tributary
`

const ZSH = `#compdef tributary
# Completion of tributary for zsh. Add to ~/.zshrc:  source <(tributary completion zsh)
_tributary() {
  local -a candidates
  local line
  while IFS= read -r line; do
    [[ -n "$line" ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(tributary complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then _describe 'tributary' candidates; else _files; fi
}
if [[ "$funcstack[1]" == "_tributary" ]]; then _tributary "$@"; else compdef _tributary tributary; fi
`

const FISH = `# Completion of tributary for fish. Save it:  tributary completion fish > ~/.config/fish/completions/tributary.fish
function __tributary_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l candidates (tributary complete -- $words[2..-1] 2>/dev/null)
    if test (count $candidates) -gt 0
        printf '%s\\n' $candidates
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c tributary -f -a '(__tributary_complete)'
`

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH }
