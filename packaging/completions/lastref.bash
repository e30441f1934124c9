# SPDX-License-Identifier: GPL-2.0-only
# Completion for bash. What there is to complete is read from lastref's own --help, so that it is
# never out of date; modules are those that are loaded and can be unloaded.

_lastref_commands()
{
    lastref --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# The options of a command, or of lastref itself.
_lastref_options()
{
    lastref "$@" --help 2>/dev/null | sed -n 's/^  \(-[^ ]*\).*/\1/p' | tr ',' '\n'
}

# Whether an option is followed by a value: its name is then followed by a word in capitals.
_lastref_takes_value()
{
    lastref $1 --help 2>/dev/null | grep -Eq -- "^  ([^ ]*,)?$2(,[^ ]*)? [A-Z][A-Z:]*([ =]|\$)"
}

# Values that the description of an option lists: "auto, always or never".
_lastref_values()
{
    case $1 in
    --color) echo auto always never ;;
    --attach) echo auto tracepoint fentry kprobe ;;
    --format) echo text json chrome-trace html ;;
    esac
}

_lastref_modules()
{
    local path
    for path in /sys/module/*/refcnt; do
        path=${path%/refcnt}
        echo "${path##*/}"
    done
}

_lastref()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --) # what follows is a command of the user's
            if ((COMP_CWORD == i + 1)); then
                mapfile -t COMPREPLY < <(compgen -c -- "$word")
            else
                mapfile -t COMPREPLY < <(compgen -W "$(_lastref_modules)" -- "$word")
            fi
            return
            ;;
        -*) ;;
        *) [ -n "$command" ] || command=${COMP_WORDS[i]} ;;
        esac
    done
    if [[ $before == -* ]] && _lastref_takes_value "$command" "$before"; then
        case $before in
        -o | --output | --replay | --save | --core) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$(_lastref_values "$before")" -- "$word") ;;
        esac
    elif [[ $word == -* ]]; then
        # shellcheck disable=SC2086 # none, or one word
        mapfile -t COMPREPLY < <(compgen -W "$(_lastref_options $command)" -- "$word")
    elif [[ -z $command || $command == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_lastref_commands)" -- "$word")
    elif [[ $command == report ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    elif [[ $command == why || $command == refs || $command == trace ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_lastref_modules)" -- "$word")
    fi
}

complete -o filenames -F _lastref lastref
