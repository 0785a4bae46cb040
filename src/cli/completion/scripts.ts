/**
 * What shells run. They ask `kitchensink complete` for lines of a value, a tab and what it means; `:files` stands for
 * files. Own ones, because libraries for commander ask no node: what they suggest has to be there at once.
 */
const bash = `# kitchensink: completion for bash
_kitchensink_complete() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
      COMPREPLY=()
      return
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" complete bash "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _kitchensink_complete kitchensink ks
`;

const zsh = `#compdef kitchensink ks
# kitchensink: completion for zsh
_kitchensink() {
  local line value
  local -a values folders shown shown_folders
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    value=\${line%%$'\\t'*}
    if [[ $value == */ ]]; then
      folders+=("$value")
    else
      values+=("$value")
      shown+=("\${line/$'\\t'/  -- }")
    fi
  done < <("\${words[1]}" complete zsh "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( \${#folders} )) && compadd -S '' -a folders
  (( \${#values} )) && compadd -l -d shown -a values
  return 0
}
if [[ \${funcstack[1]} == _kitchensink ]]; then
  _kitchensink "$@"
else
  compdef _kitchensink kitchensink ks
fi
`;

export const SCRIPTS: Readonly<Record<"bash" | "zsh", string>> = { bash, zsh };
