#compdef heat-scaleout
# Completes heat-scaleout in zsh. Read it in ~/.zshrc, after compinit:
#     source <(heat-scaleout --print-completion-script zsh)

_heat_scaleout() {
    local program="${words[1]%${words[1]:t}}heat-scaleout" # beside the program that is completed, which may be `invoke`
    local line files
    local -a candidates
    for line in "${(@f)$("$program" --complete -- "${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
        if [[ "$line" == @files* ]]; then
            files=1
        elif [[ -n "$line" ]]; then
            candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        fi
    done
    (( $#candidates )) && _describe -V heat-scaleout candidates
    if [[ -n "$files" ]]; then
        compset -P '--*='
        _files
    fi
}

if [[ "${funcstack[1]}" == _heat-scaleout ]]; then
    _heat_scaleout # this is the file _heat-scaleout of $fpath, which zsh runs when it completes
else
    compdef _heat_scaleout heat-scaleout
fi
