# Makes the project's own environment, .venv, when it is missing or out of date. Sourced, not run.
#
# prepare EXTRA installs the project, with that extra unless it is "base", and sets $python. What is
# installed is noted in stamps, each written last: without a true one, everything is made anew.

die() {
    echo "$1" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "no Python of version 3.11 or later is found; install one, or name it: PYTHON=/path/to/python3 $0"
}

wanted() {
    echo "$root"
    cat "$root/pyproject.toml" "$root/constraints.txt"
}

is_current() {
    [ -x "$venv/bin/python" ] && wanted | cmp -s - "$venv/.has-$1"
}

unlock() {
    rm -rf "$venv.lock" "$venv.part"
}

give_up() {
    trap - EXIT INT TERM HUP
    if [ -n "$child" ]; then
        kill -KILL -- "-$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    rm -rf "$venv"
    [ -n "$had_egg_info" ] || rm -rf "$root/animate.egg-info"
    unlock
    echo "interrupted or failed; nothing is left half-installed" >&2
    exit "$1"
}

lock() {
    # One installation at a time; a lock whose owner is gone is nobody's. The link is made with its
    # owner's name in it, at once.
    until ln -sn $$ "$venv.lock" 2>/dev/null; do
        owner=$(readlink "$venv.lock" || true)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            unlock
        else
            sleep 0.2
        fi
    done
}

guarded() {
    # Runs a command as a group of its own. The shell waits for it where a signal is heard at once,
    # and give_up can end it with all that it has started and all that it has unpacked.
    mkdir -p "$venv.part"
    set -m
    TMPDIR="$venv.part" "$@" </dev/null >&2 &
    child=$!
    set +m
    wait "$child" 2>/dev/null
    child=
}

forget_settings() {
    # Of the caller's settings only those stay that say where packages come from: others would put
    # them elsewhere, leave some out, or hide the ones put here.
    unset PYTHONPATH PYTHONHOME
    for name in ${!PIP_@}; do
        case ${name#PIP_} in
            *INDEX* | FIND_LINKS | CONFIG_FILE | *CERT | TRUSTED_HOST | PROXY | *TIMEOUT | RETRIES) ;;
            *CACHE*) ;;
            *) unset "$name" ;;
        esac
    done
}

install() {
    child=
    had_egg_info=$(ls -d "$root/animate.egg-info" 2>/dev/null || true)
    trap 'give_up 130' INT
    trap 'give_up 143' TERM
    trap 'give_up 129' HUP
    trap 'give_up 1' EXIT
    forget_settings
    if ! is_current base; then
        rm -rf "$venv"
        base=$(find_python)
        guarded "$base" -m venv "$venv"
        add base "[datasets]" # the data of the ready problems
    fi
    if ! is_current "$1"; then
        add "$1" "[$1]"
    fi
    trap - EXIT INT TERM HUP
}

add() {
    guarded "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --constraint "$root/constraints.txt" --editable "$root$2"
    wanted >"$venv/.has-$1.part"
    mv "$venv/.has-$1.part" "$venv/.has-$1"
}

prepare() {
    venv="$root/.venv"
    if ! is_current "$1"; then
        lock
        if ! is_current "$1"; then
            echo "installing into $venv: this takes a minute or two, once" >&2
            install "$1"
        fi
        unlock
    fi
    python="$venv/bin/python"
}
