# To be sourced by a script of this folder: the plane in the background, and what its functions answer.
. localstack/processes.sh

start_plane() {
    start plane target/debug/quotelake up --json --data "$work/data" --bin-dir target/debug
    wait_for 60 "the plane" test -s "$work/plane.out"
}

# Prints the part of the first line of the plane's output that NAME has.
part() { # NAME
    python3 -c 'import json, sys; print(json.loads(open(sys.argv[1]).readline())[sys.argv[2]])' "$work/plane.out" "$1"
}

# Compares the members of EXPECTED with those of an answer; "some" is any number above 0, at any depth.
compare() { # FUNCTION ANSWER EXPECTED
    python3 - "$@" <<'PYTHON' || fail "$1: not the answer that was expected"
import json, sys
def alike(found, expected):
    if expected == "some":
        return isinstance(found, int) and found > 0
    if isinstance(expected, dict) and isinstance(found, dict):
        return found.keys() == expected.keys() and all(alike(found[name], expected[name]) for name in expected)
    return found == expected
function, answer, expected = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
different = {name: answer.get(name) for name, value in expected.items() if not alike(answer.get(name), value)}
if different:
    sys.exit(f"{function}: {different}, expected {expected}, in {answer}")
print(f"{function} answered {json.dumps(answer)}")
PYTHON
}
