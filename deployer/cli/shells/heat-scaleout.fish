# Completes heat-scaleout in fish. Write it where fish finds it:
#     heat-scaleout --print-completion-script fish >~/.config/fish/completions/heat-scaleout.fish

function __heat_scaleout_candidates
    set --local words (commandline --tokenize --cut-at-cursor --current-process)
    set --local current (commandline --current-token --cut-at-cursor)
    # beside the program that is completed, which may be `invoke`
    set --local program (string replace --regex '[^/]*$' heat-scaleout -- $words[1])
    for line in ($program --complete -- $words "$current" 2>/dev/null)
        if string match --quiet '@files*' -- $line
            set --local flag (string match --regex -- '^--[^=]*=' $current)
            printf "$flag%s\n" (__fish_complete_path (string replace --regex -- '^--[^=]*=' '' $current))
        else
            printf '%s\n' $line
        end
    end
end

complete --command heat-scaleout --no-files --arguments '(__heat_scaleout_candidates)'
