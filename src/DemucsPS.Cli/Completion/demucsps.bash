# Completion of demucsps for bash: source <(demucsps completion bash)

# Into plain what a word means without its quotes, and into quote the one that is still open. Nothing in it is expanded or run.
_demucsps_plain() {
  local rest=$1 char
  plain='' quote=''
  while [[ -n $rest ]]; do
    char=${rest:0:1} rest=${rest:1}
    case $quote$char in
      "''" | '""') quote='' ;;
      "'" | '"') quote=$char ;;
      \\)
        plain+=${rest:0:1} rest=${rest:1}
        ;;
      '"\')
        case ${rest:0:1} in
          [\"\\\$\`]) plain+=${rest:0:1} rest=${rest:1} ;;
          *) plain+=$char ;;
        esac
        ;;
      *) plain+=$char ;;
    esac
  done
}

# Bash 3, as macOS has it, knows none at this point.
_demucsps_option() {
  [[ $(type -t compopt) != builtin ]] || compopt -o "$1"
}

_demucsps() {
  local rest=${COMP_LINE:0:COMP_POINT} raw=() words=() last=-1 plain quote open special i part line before current program directive=''
  COMPREPLY=()
  # Bash cuts words at = and : too; here they are those between spaces, up to the cursor.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part=${COMP_WORDS[i]}
    if ((last < 0)) || [[ $rest == [[:space:]]* ]]; then
      rest=${rest#"${rest%%[![:space:]]*}"}
      last=$((last + 1))
    fi
    [[ $rest == "$part"* ]] || part=$rest
    rest=${rest#"$part"}
    raw[last]=${raw[last]-}$part
  done
  for ((i = 0; i <= last; i++)); do
    _demucsps_plain "${raw[i]}"
    words[i]=$plain
  done
  open=$quote
  program=${words[0]}
  [[ $program == '~/'* ]] && program=$HOME/${program:2}
  # Another name of it, such as an alias, is no file.
  program=$(type -P -- "$program" || type -P demucsps) || return
  current=${words[last]}
  # Of the last word, bash replaces only what is behind its cut.
  _demucsps_plain "${raw[last]%"$2"}"
  before=$plain
  while IFS= read -r line; do
    [[ -n $directive ]] && COMPREPLY+=("${directive#"$before"}")
    directive=${line%%$'\t'*}
  done < <("$program" complete "${words[@]:1}" </dev/null 2>/dev/null)
  case $directive in
    :files*)
      if ((${#COMPREPLY[@]} == 0)); then
        _demucsps_option default
      else
        for part in "${current#"$before"}"*; do
          [[ -e $part ]] && COMPREPLY+=("$part")
        done
      fi
      ;;
    :folders*) _demucsps_option dirnames ;;
  esac
  [[ $directive == *' open' ]] && _demucsps_option nospace
  for part in "${COMPREPLY[@]}"; do
    [[ $part == *[!-_.,=:/+%@[:alnum:]]* ]] && special=1
  done
  [[ -n ${special-} ]] || return 0
  if [[ -n $open ]]; then
    # As names of files, bash quotes what it puts into the line; without an open quote it would leave $( as it is.
    _demucsps_option filenames
  else
    for i in "${!COMPREPLY[@]}"; do
      COMPREPLY[i]=$(printf %q "${COMPREPLY[i]}")
    done
  fi
  return 0
}

complete -F _demucsps demucsps
