# Completion of demucsps for fish: demucsps completion fish | source

function __demucsps_complete
    set -l words (commandline -opc)
    set -l raw (commandline -ct)
    # A quote that is still open is closed to be read.
    set -l word (string unescape -- $raw; or string unescape -- $raw"'"; or string unescape -- $raw'"'; or echo -- $raw)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l lines ($program complete $words[2..] "$word" </dev/null 2>/dev/null)
    set -q lines[1]; or return
    set -l directive $lines[-1]
    set -e lines[-1]
    set -q lines[1]; and printf '%s\n' $lines
    set -l path $word
    set -l before (string match -r -- '^--[a-z-]+=' $word)
    and set path (string replace -- $before '' $word)
    switch $directive
        case ':files*'
            __fish_complete_path $path | string replace -r '^' -- "$before"
        case ':folders*'
            __fish_complete_directories $path | string replace -r '^' -- "$before"
    end
end

complete -c demucsps -f -k -a '(__demucsps_complete)'
