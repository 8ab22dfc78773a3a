# Completes heat-scaleout in bash. Read it in ~/.bashrc:
#     source <(heat-scaleout --print-completion-script bash)

_heat_scaleout() {
    local program candidate
    program="${1%"${1##*/}"}heat-scaleout" # beside the program that is completed, which may be `invoke`
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        if [ "$candidate" = @files ]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "${2#=}")
        else
            COMPREPLY+=("$candidate")
        fi
    done < <("$program" --complete -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
}

complete -F _heat_scaleout heat-scaleout
