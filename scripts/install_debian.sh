#!/usr/bin/env bash
# The README's Debian route: system Python and NumPy, swiftconv in an environment that sees them.
# Usage: scripts/install_debian.sh VENV
set -euo pipefail
venv=$1
python=${DEBIAN_PYTHON:-/usr/bin/python3}
packages=(python3-dev python3-numpy python3-venv)

if ! dpkg -s "${packages[@]}" > /dev/null 2>&1; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" < /dev/null
fi
[ -x "$venv/bin/python" ] || "$python" -m venv --system-site-packages "$venv"

# Nothing may pull in a newer NumPy than Debian's.
"$python" -c 'import numpy; print(f"numpy=={numpy.__version__}")' > "$venv/constraints.txt"
# Without isolation the extension is compiled against Debian's NumPy; then setuptools wants the package wheel.
"$venv/bin/python" -m pip install -q wheel
"$venv/bin/python" -m pip install -q --no-build-isolation -c "$venv/constraints.txt" '.[test]'
"$venv/bin/python" -c 'import sys, numpy; print("Debian route: Python", sys.version.split()[0], "NumPy", numpy.__version__)'
