# Completes inv and invoke in fish, with values: services, backups, rules, env keys, modes.
# Nothing in it depends on a project; where invoke_stack is not installed, Invoke answers.

function __inv_stack
    set -l before (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l program (command -s $before[1])
    or return
    # The interpreter of this very inv stands in its first line.
    set -l first
    read first <$program 2>/dev/null
    set -l python (string split ' ' -- (string sub -s 3 -- $first))
    set -l candidates
    if string match -q '#!*python*' -- $first
        set candidates ($python -m invoke_stack.tasks.completing $before "$current" 2>/dev/null)
        or set candidates ($program --complete -- $before 2>/dev/null)
    else
        set candidates ($program --complete -- $before 2>/dev/null)
    end
    if set -q candidates[1]
        printf '%s\n' $candidates
    else
        __fish_complete_path "$current"
    end
end

complete --command inv --no-files --arguments '(__inv_stack)'
complete --command invoke --no-files --arguments '(__inv_stack)'
