# To be sourced: installs a tool of PyPI into a virtual environment of its own, because the tools' pins clash.
# TOOLS is the folder that they are kept in, outside of the repository.
TOOLS=${QUOTELAKE_CI_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/quotelake-ci}

MINISTACK=1.5.33
DUCKDB=2.0.1
SAM_CLI=1.170.0
CARGO_LAMBDA=1.9.2

python_tool() { # NAME PACKAGE...
    local name=$1 complete
    shift
    complete=$TOOLS/$name/.complete-$(echo "$*" | tr -c 'A-Za-z0-9\n' '-')
    if [ ! -e "$complete" ]; then
        rm -rf "${TOOLS:?}/$name"
        mkdir -p "$TOOLS"
        python3 -m venv "$TOOLS/$name"
        "$TOOLS/$name/bin/pip" install --quiet --disable-pip-version-check "$@"
        touch "$complete"
    fi
}

# ministack expands SAM templates with a library that has to be resolved together with it, and its Athena asks DuckDB.
ministack_tool() { python_tool ministack "ministack==$MINISTACK" "aws-sam-translator>=1.90" "duckdb==$DUCKDB"; }

sam_tool() { python_tool sam "aws-sam-cli==$SAM_CLI"; }

cargo_lambda_tool() { python_tool cargo-lambda "cargo-lambda==$CARGO_LAMBDA"; }
