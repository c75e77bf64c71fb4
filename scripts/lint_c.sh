#!/usr/bin/env bash
# The extension's C without a warning, with the limited API (3.11 on) and without it (3.9, 3.10), and the core's header
# as C++. Usage: scripts/lint_c.sh PYTHON FILE...
set -euo pipefail
python=$1
shift
include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
numpy=$("$python" -c 'import numpy; print(numpy.get_include())')
flags=(-fsyntax-only -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror
       -Ipython/src -ISources/CSwiftConv/include -isystem "$include" -isystem "$numpy")
for source in "$@"; do
  "${CC:-gcc}" -std=c11 "${flags[@]}" "$source"
  "${CC:-gcc}" -std=c11 "${flags[@]}" -DPy_LIMITED_API=0x030B0000 "$source"
done
"${CXX:-g++}" -x c++ -fsyntax-only -Wall -Wextra -Werror - <<< '#include "Sources/CSwiftConv/include/swiftconv.h"'
echo "C: ${#} files without a warning"
