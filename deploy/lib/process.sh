# shellcheck shell=bash
# Processes: which ones run, and starting one that outlives this shell.

# Prints the ids of the processes of a user whose command line begins with the words given. A process that has ended and
# that nobody has waited for has no command line.
processes_of() {
    local user=$1 folder uid field value words
    shift
    uid=$(id -u "$user" 2>/dev/null) || return 0
    for folder in /proc/[0-9]*; do
        words=()
        { mapfile -d '' -t words <"$folder/cmdline"; } 2>/dev/null || continue
        [[ "${words[*]:0:$#}" == "$*" ]] || continue
        # The owner of the folder says nothing: it is root for a process that guards its memory.
        while read -r field value _; do
            if [[ $field == Uid: && $value == "$uid" ]]; then
                printf '%s\n' "${folder##*/}"
            fi
        done 2>/dev/null <"$folder/status" || true
    done
}

# Closes all descriptors of this shell but the standard ones: for a subshell that starts a daemon, which would keep
# the caller's locks, pipes and files.
close_descriptors() {
    local descriptor
    for descriptor in "/proc/$BASHPID/fd"/*; do
        descriptor=${descriptor##*/}
        if ((descriptor > 2)); then
            eval "exec $descriptor>&-"
        fi
    done
}
