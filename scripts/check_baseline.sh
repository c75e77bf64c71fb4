#!/usr/bin/env bash
# Runs the baseline core on an emulated CPU that has SSE4.2 and no AVX: "runs anywhere" seen, not assumed.
# Usage: scripts/check_baseline.sh PYTHON
set -euo pipefail
python=$1
cpu=${QEMU_CPU_MODEL:-Nehalem}  # NumPy's own wheels need SSE4.2

if ! command -v qemu-x86_64 > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq qemu-user < /dev/null
fi
# qemu wants the interpreter itself, not a launcher script; the environment is found through argv[0].
unset SWIFTCONV_ISA
OPENBLAS_NUM_THREADS=1 qemu-x86_64 -cpu "$cpu" "$python" scripts/smoke.py --isa baseline

echo "asking for a level that the CPU lacks:"
if SWIFTCONV_ISA=x86-64-v3 OPENBLAS_NUM_THREADS=1 qemu-x86_64 -cpu "$cpu" "$python" scripts/smoke.py --refused; then
  echo "check-baseline passed on an emulated $cpu"
fi
