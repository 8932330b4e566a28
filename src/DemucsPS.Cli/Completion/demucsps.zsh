#compdef demucsps
# Completion of demucsps for zsh: source <(demucsps completion zsh) after compinit, or as _demucsps in a folder of $fpath.

_demucsps() {
  local line program=${(Q)words[1]} directive
  local -a lines values shown
  [[ $program == '~/'* ]] && program=$HOME/${program#'~/'}
  # (Q) takes quotes away, and neither expands nor runs anything.
  lines=("${(@f)$("$program" complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" </dev/null 2>/dev/null)}")
  directive=$lines[-1]
  lines[-1]=()
  for line in "${(@)lines}"; do
    values+=("${line%%$'\t'*}")
    shown+=("${line%%$'\t'*}${${line#*$'\t'}:+  -- ${line#*$'\t'}}")
  done
  local -a suffix
  [[ $directive == *' open' ]] && suffix=(-S '')
  local found=1
  (($#values)) && compadd -V demucsps -l -d shown "${(@)suffix}" -a values && found=0
  case $directive in
    :files*) compset -P '--*='; _files && found=0 ;;
    :folders*) compset -P '--*='; _files -/ && found=0 ;;
  esac
  return $found
}

if [[ $funcstack[1] == _demucsps ]]; then
  _demucsps "$@"
else
  compdef _demucsps demucsps
fi
