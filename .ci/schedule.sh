# To be sourced: runs steps beside each other, each as soon as those have ended that it comes after. A step is a function
# `step_NAME`, or `tier_NAME` if it tests something. AFTER has the names that NAME comes after, IDLE those that only
# get the processors' spare time.
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
report=()
declare -A running=()

# Runs a step in this process.
step() { # NAME
    if declare -F "tier_$1" >/dev/null; then "tier_$1"; else "step_$1"; fi
}

# The sum of what the tools on stdin say has passed.
passed() { grep -oE '\b[0-9]+ passed' | awk '{ sum += $1 } END { print sum + 0 }'; }

# Sets `cpu` to the seconds of CPU of all that this shell has waited for.
cpu_seconds() {
    # Not in a pipe, whose shell has waited for nothing.
    times >"$logs/.times"
    cpu=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }' "$logs/.times")
}

# Adds a line to the report; a tier in which nothing was run has not passed.
ended() { # NAME SECONDS CPU
    local count='' cpu
    if declare -F "tier_$1" >/dev/null; then
        count=$(passed <"$logs/$1")
        [ "$count" -gt 0 ] || return 1
        tiers=$((tiers + 1))
    fi
    report+=("$(printf '%-14s %11s in %4d s, %4d s of CPU' "$1" "${count:+$count passed}" "$2" "$3")")
}

tiers=0
summary() {
    printf '%s\n' "${report[@]}"
    echo "$tiers passed, 0 failed"
}

fail() { # NAME
    echo "$1 failed" >&2
    exit 1
}

# One step after the other, as they write.
run_in_turn() { # NAME...
    local name started cpu before
    for name in "$@"; do
        started=$SECONDS
        cpu_seconds
        before=$cpu
        echo "== $name"
        # shellcheck disable=SC2064 # the name as it is now
        trap "echo '$name failed' >&2; rm -rf '$logs'" EXIT
        step "$name" 2>&1 | tee "$logs/$name"
        cpu_seconds
        ended "$name" $((SECONDS - started)) $((cpu - before))
        trap 'rm -rf "$logs"' EXIT
    done
}

# All steps, each in a session of its own so that whatever it starts ends with it; what a step writes follows its end.
run_beside() { # NAME...
    local waiting=("$@") later name id code cpu before
    local -A started=() done=()
    trap end_all EXIT
    trap 'exit 130' INT TERM
    while [ ${#waiting[@]} -gt 0 ] || [ ${#running[@]} -gt 0 ]; do
        later=()
        for name in "${waiting[@]}"; do
            if ready "$name"; then
                start "$name"
                started[$name]=$SECONDS
            else
                later+=("$name")
            fi
        done
        waiting=("${later[@]}")
        [ ${#running[@]} -gt 0 ] || fail "a tier that comes after itself, one of ${waiting[*]},"
        cpu_seconds
        before=$cpu
        code=0
        wait -n -p id "${!running[@]}" || code=$?
        name=${running[$id]}
        unset "running[$id]"
        end_sessions "$id"
        cpu_seconds
        printf '== %s, from %d s to %d s\n' "$name" "${started[$name]}" $SECONDS
        cat "$logs/$name"
        [ $code -eq 0 ] || fail "$name"
        ended "$name" $((SECONDS - started[$name])) $((cpu - before)) || fail "$name"
        done[$name]=yes
    done
    trap 'rm -rf "$logs"' EXIT
}

# Whether everything has ended that NAME comes after; `done` is the caller's.
ready() { # NAME
    local other
    for other in ${AFTER[$1]}; do
        [ -n "${done[$other]:-}" ] || return 1
    done
}

start() { # NAME
    local idle=()
    [ -z "${IDLE[$1]:-}" ] || idle=(chrt --idle 0)
    # A shell has its background programs ignore Ctrl-C; tests send it to theirs.
    setsid env --default-signal=INT,QUIT "${idle[@]}" "$BASH" .ci/run --step "$1" >"$logs/$1" 2>&1 </dev/null &
    running[$!]=$1
}

# The processes of a session that have not ended.
processes() { # SESSION
    cat /proc/[0-9]*/stat 2>/dev/null |
        awk -v session="$1" '{ id = $1; sub(/.*\) /, ""); if ($4 == session && $1 != "Z") print id }'
}

end_sessions() { # SESSION...
    local signal session left until
    for signal in TERM KILL; do
        until=$((SECONDS + 20))
        while [ $SECONDS -lt $until ]; do
            left=()
            for session in "$@"; do
                mapfile -t -O ${#left[@]} left < <(processes "$session")
            done
            [ ${#left[@]} -gt 0 ] || return 0
            # Once, or each repetition would interrupt a script that is ending what it has started.
            [ -z "$signal" ] || kill "-$signal" "${left[@]}" 2>/dev/null || true
            signal=
            sleep 0.2
        done
    done
}

end_all() {
    local code=$? id
    trap - EXIT
    trap '' INT TERM
    end_sessions "${!running[@]}"
    for id in "${!running[@]}"; do
        echo "== ${running[$id]}, ended before its time"
        tail -n 40 "$logs/${running[$id]}"
    done
    rm -rf "$logs"
    exit $code
}
