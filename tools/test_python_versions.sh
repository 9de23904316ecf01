#!/usr/bin/env bash
# Runs the Python tests on each Python that the package is for, in an environment of its own under
# build/pythons. One that is not on the machine is named and left out.
#
# PYTHONS="python3.12 /opt/python3.13/bin/python" names other interpreters.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# On PATH, or of pyenv, whose own commands answer only for the versions that it was told to use.
find_python() {
  local found
  if found="$(command -v "python$1")" && "$found" -c '' 2> /dev/null; then
    echo "$found"
    return
  fi
  found="$(find "${PYENV_ROOT:-$HOME/.pyenv}/versions" -maxdepth 3 -path "*/$1.*/bin/python$1" 2> /dev/null | sort -V | tail -1)"
  [ -n "$found" ] && echo "$found"
}

pythons=()
if [ -n "${PYTHONS:-}" ]; then
  read -r -a pythons <<< "$PYTHONS"
else
  for version in 3.10 3.11 3.12 3.13; do
    if python="$(find_python "$version")"; then pythons+=("$python"); else echo "    Python $version is not here: left out"; fi
  done
fi
[ ${#pythons[@]} -gt 0 ] || { echo "error: no Python to test with" >&2; exit 1; }

failed=()
for python in "${pythons[@]}"; do
  version="$("$python" -c 'import platform; print(platform.python_version())')"
  environment="build/pythons/$version"
  stamp="$environment/.memex-stamp"
  now="$(cksum python/poetry.lock tools/locked_requirements.py tools/test_python_versions.sh)"
  if [ ! -f "$stamp" ] || [ "$(<"$stamp")" != "$now" ]; then
    rm -rf "$environment"
    "$python" -m venv "$environment"
    .venv/bin/python tools/locked_requirements.py pytest pytest-asyncio hypothesis openai > "$environment/requirements.txt"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
      --requirement "$environment/requirements.txt"
    printf '%s' "$now" > "$stamp"
  fi
  echo "==> Python tests on $version"
  interpreter="$PWD/$environment/bin/python"
  (cd python && PYTHONPATH=src "$interpreter" -m pytest --quiet -p no:cacheprovider) || failed+=("$version")
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "error: failed on ${failed[*]}" >&2
  exit 1
fi
