#compdef inv invoke
# Completes inv and invoke in zsh, with values: services, backups, rules, env keys, modes.
# Nothing in it depends on a project; where invoke_stack is not installed, Invoke answers.

_inv_stack() {
    local program first
    local -a python candidates
    program=$(whence -p -- ${(Q)words[1]}) || return 1
    # The interpreter of this very inv stands in its first line.
    IFS= read -r first 2>/dev/null <$program
    python=(${=first#'#!'})
    if [[ $first == '#!'*python* ]] &&
        candidates=(${(f)"$($python -m invoke_stack.tasks.completing "${(@Q)words[1,CURRENT]}" 2>/dev/null)"})
    then
        :
    else
        candidates=(${(f)"$($program --complete -- $words 2>/dev/null)"})
    fi
    if ((${#candidates})); then
        compadd -- $candidates
    else
        _files
    fi
}

if [[ $funcstack[1] == _inv ]]; then
    _inv_stack
else
    compdef _inv_stack inv invoke
fi
