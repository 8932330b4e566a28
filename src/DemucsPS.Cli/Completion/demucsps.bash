# Completion of demucsps for bash: source <(demucsps completion bash)

# What a word means without its quotes. Nothing in it is expanded or run.
_demucsps_plain() {
  local rest=$1 quote='' char
  plain=''
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

_demucsps() {
  local rest=${COMP_LINE:0:COMP_POINT} raw=() words=() last=-1 plain i part line before current program directive=''
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
        compopt -o default
      else
        compopt -o filenames
        for part in "${current#"$before"}"*; do
          [[ -e $part ]] && COMPREPLY+=("$part")
        done
      fi
      ;;
    :folders*) compopt -o dirnames ;;
  esac
  [[ $directive == *' open' ]] && compopt -o nospace
  # As names of files, bash quotes what it puts into the line.
  for part in "${COMPREPLY[@]}"; do
    [[ $part == *[!-_.,=:/+%@[:alnum:]]* ]] && compopt -o filenames
  done
  return 0
}

complete -F _demucsps demucsps
