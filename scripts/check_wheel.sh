#!/usr/bin/env bash
# Installs a wheel where no Swift exists, on CPython 3.11, 3.12 and 3.13, each with the oldest NumPy that it has (from
# 1.24 on) and the newest, and runs the smoke test. Usage: scripts/check_wheel.sh WHEEL
set -euo pipefail
wheel=$(realpath "$1")
smoke=$(realpath scripts/smoke.py)
combinations=("3.11 1.24" "3.11 current" "3.12 1.26" "3.12 current" "3.13 2.1" "3.13 current")

# The interpreter of a version: on PATH, or one that pyenv has.
interpreter() {
  local version=$1 candidate
  if "python$version" -c '' > /dev/null 2>&1; then
    command -v "python$version"
    return
  fi
  candidate=$(pyenv versions --bare 2> /dev/null | grep -E "^${version//./\\.}\.[0-9]+$" | sort -V | tail -n 1) || return 1
  PYENV_VERSION=$candidate pyenv which python
}

# Runs a command where the Swift toolchain's directory is an empty one.
without_swift() {
  local swift toolchain rights=()
  swift=$(realpath "$(command -v swift)")
  toolchain=$(dirname "$(dirname "$swift")")
  case $toolchain in
    / | /usr | /usr/local) echo "cannot hide $swift: its directory holds other programs too" >&2; return 1 ;;
  esac
  [ "$(id -u)" = 0 ] || rights=(--map-root-user)
  unshare --mount "${rights[@]}" bash -euc '
    mount -t tmpfs none "$1"
    shift
    if command -v swift; then echo "the toolchain is still there" >&2; exit 1; fi
    exec "$@"' without_swift "$toolchain" "$@"
}

count=0
for combination in "${combinations[@]}"; do
  read -r version numpy <<< "$combination"
  if ! python=$(interpreter "$version"); then
    echo "CPython $version is not installed here: NOT checked"
    continue
  fi
  venv=.venv-check-$version-$numpy
  [ "$numpy" = current ] && requirement=numpy || requirement="numpy==$numpy.*"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  without_swift "$venv/bin/python" -m pip install -q --only-binary=:all: "$requirement" "$wheel"
  (cd "$venv" && without_swift bin/python "$smoke")
  rm -rf "$venv"
  count=$((count + 1))
done
echo "$count combinations passed without a Swift toolchain: $(basename "$wheel")"
[ "$count" -gt 0 ]
