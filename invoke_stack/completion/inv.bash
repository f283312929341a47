# Completes inv and invoke in bash, with values: services, backups, rules, env keys, modes.
# Nothing in it depends on a project; where invoke_stack is not installed, Invoke answers.

_inv_stack() {
    local program first python candidates
    program=$(type -P -- "${COMP_WORDS[0]}") || return 0
    # The interpreter of this very inv stands in its first line.
    IFS= read -r first 2>/dev/null <"$program"
    read -ra python <<<"${first#'#!'}"
    case $first in
    '#!'*python*)
        candidates=$("${python[@]}" -m invoke_stack.tasks.completing \
            "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
        ;;
    *) false ;;
    esac || candidates=$(compgen -W "$("$program" --complete -- "${COMP_WORDS[*]}" 2>/dev/null)" -- "$2")
    local IFS=$'\n'
    COMPREPLY=($candidates)
}

complete -o default -F _inv_stack inv invoke
