#!/bin/sh
# Usage: install.sh VENV LOCK
# Creates the virtual environment VENV, if it isn't there, and installs what the file LOCK lists.
#
# The environment gets the Python that the functions run on, if this machine has it, and another supported
# one otherwise. PYTHON=... chooses. uv installs where it is on PATH, pip elsewhere; both check the hashes.
set -eu

venv=$1
lock=$2
runtime=$(sed -n 's/.*"runtime": *"python\([0-9.]*\)".*/\1/p' terraform/service.json)

# A shim of pyenv can be on PATH and still start nothing, so each candidate is tried.
supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

candidates() {
    for version in $runtime 3.13 3.14 3.12 3.11; do
        command -v "python$version" || true
        for installed in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
            echo "$installed"
        done
    done
    command -v python3 || true
    command -v python || true
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        supported "$PYTHON" && command -v "$PYTHON"
        return
    fi
    candidates | while read -r candidate; do
        if supported "$candidate"; then
            echo "$candidate"
            break
        fi
    done
}

no_python() {
    cat >&2 <<END
No Python 3.11 to 3.14 was found${PYTHON:+ as PYTHON=$PYTHON}. Install one, for example:
  Debian, Ubuntu    sudo apt install python3 python3-venv
  Fedora            sudo dnf install python$runtime
  macOS             brew install python@$runtime
  anywhere          uv python install $runtime
If it is there under another name: make install PYTHON=/path/to/python
END
    exit 1
}

no_venv() {
    cat >&2 <<END
$1 can't create virtual environments: its module venv or ensurepip is missing. Install it, for example:
  Debian, Ubuntu    sudo apt install python3-venv
  anywhere          uv python install $runtime
END
    exit 1
}

has_uv() {
    uv --version >/dev/null 2>&1
}

create() {
    python=$(find_python) || no_python
    [ -n "$python" ] || no_python
    echo "Creating $venv with $("$python" --version), $python"
    if has_uv; then
        uv venv --quiet --clear --python "$python" "$venv"
    else
        "$python" -c 'import ensurepip, venv' 2>/dev/null || no_venv "$python"
        "$python" -m venv --clear "$venv"
    fi
}

if [ -n "${PYTHON:-}" ] || ! supported "$venv/bin/python"; then
    create
fi
echo "Installing $lock into $venv"
if has_uv && uv pip install --quiet --python "$venv/bin/python" --require-hashes -r "$lock"; then
    exit 0
fi
"$venv/bin/python" -m ensurepip >/dev/null 2>&1 || no_venv "$venv/bin/python"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
