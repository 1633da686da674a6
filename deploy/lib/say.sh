# shellcheck shell=bash
# Messages of a command for people; `self` is the command's name.

# One line for each thing that is done.
step() {
    printf '== %s\n' "$1"
}

# Output of a program, indented below its step.
detail() {
    sed 's/^/   /'
}

# Ends with what is wrong and, as further lines, what to do about it.
fail() {
    printf '%s: %s\n' "${self:-deploy/run}" "$1" >&2
    shift
    if (($# > 0)); then
        printf '            %s\n' "$@" >&2
    fi
    exit 1
}
