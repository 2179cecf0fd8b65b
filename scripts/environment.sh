# Sourced by the scripts. `prepare EXTRA` installs the project from $root into $root/.venv, with its
# extra "test" or "dev", or for "base" with "datasets", if that is missing or out of date. It sets
# $python.
#
# .venv/.complete holds the checkout's path, and is missing while pip works: an interrupted
# installation, or a checkout that was moved, is installed from scratch. .venv/.has-EXTRA holds what
# was installed from: if that has changed, pip updates the packages in place.

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.11 or later was not found; install it, or set PYTHON=/path/to/python3" >&2
    return 1
}

is_complete() {
    [ -x "$python" ] && [ "$(cat "$venv/.complete" 2>/dev/null)" = "$root" ]
}

is_current() {
    is_complete && cat "$root/pyproject.toml" "$root/constraints.txt" | cmp -s - "$venv/.has-$1"
}

install() {
    echo "installing into $venv: this takes a minute or two, once" >&2
    if ! is_complete; then
        rm -rf "$venv"
        "$base_python" -m venv "$venv" >&2
    fi
    rm -f "$venv/.complete"
    local extra=$1
    [ "$1" != base ] || extra=datasets # the data of the ready problems
    "$python" -m pip install --quiet --disable-pip-version-check --no-input \
        --constraint "$root/constraints.txt" --editable "$root[$extra]" >&2
    for extra in base test dev; do # each includes the one before
        cat "$root/pyproject.toml" "$root/constraints.txt" >"$venv/.has-$extra"
        [ "$extra" != "$1" ] || break
    done
    echo "$root" >"$venv/.complete"
}

prepare() {
    venv=$root/.venv python=$root/.venv/bin/python
    unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX # they would install elsewhere
    is_current "$1" && return
    (
        base_python=$(find_python)
        # The system releases the lock when this subshell and the pip that it started have ended.
        exec 9>"$venv.lock"
        "$base_python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
        is_current "$1" || install "$1"
    )
}
