#!/usr/bin/env python3
"""The README's table: swiftconv beside the peers that are installed, in one run.

    python Benchmarks/run.py [--threads 1,2] [--rounds 7] [--cases TEXT] [--peers TEXT,TEXT] [--json FILE]

Every round calls every peer once or more (for at least --seconds), one after the other, so that a disturbance meets
all alike; the table shows medians over the rounds. Results are compared with swiftconv's before anything is timed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
from cases import cases
from peers import PEERS

OURS = "swiftconv"
# A peer that takes this much longer than the fastest keeps its first measurement.
HOPELESS = 30


def seconds_per_call(call, at_least):
    calls, start = 0, time.perf_counter()
    while True:
        call()
        calls += 1
        elapsed = time.perf_counter() - start
        if elapsed >= at_least:
            return elapsed / calls


def prepare(names, images, window, threads):
    """The calls to be timed, by peer; each has run once and given swiftconv's values."""
    expected, calls = None, {}
    for name in names:
        call = PEERS[name](images, window, threads)
        if call is None:
            continue
        result = call()
        if expected is None:
            expected = result
        scale = max(1.0, float(np.abs(expected).max()))
        if result.shape != expected.shape or np.abs(result - expected).max() > 1e-4 * scale:
            print(f"  {name}: another result than {names[0]}'s, left out", file=sys.stderr)
            continue
        calls[name] = call
    return calls


def measure(calls, rounds, at_least):
    """Median seconds of one call, by peer."""
    # the better of two: a first call may grow pools or compile
    times = {name: [min(seconds_per_call(call, 0) for _ in range(2))] for name, call in calls.items()}
    fastest = min(first for (first,) in times.values())
    for _ in range(rounds):
        for name, call in calls.items():
            if times[name][0] < max(0.05, HOPELESS * fastest):
                times[name].append(seconds_per_call(call, at_least))
    return {name: statistics.median(found[1:] or found) for name, found in times.items()}


def installed(wanted):
    """The peers whose library is there; says which are not."""
    images, window = np.ones((1, 4, 4), np.float32), np.ones((2, 2), np.float32)
    found = []
    for name in PEERS:
        if wanted and name != OURS and not any(text in name for text in wanted):
            continue
        try:
            PEERS[name](images, window, 1)
        except ImportError as error:
            print(f"{name}: skipped, {error.name or error} is not installed")
        else:
            found.append(name)
    return found


def spell(seconds):
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"


def table(results):
    """Markdown: a row for each case, our time, the best peer, and how the rest compare."""
    lines = ["| case | swiftconv | best peer | ratio | all peers, times swiftconv's |", "|---|---|---|---|---|"]
    for case, times in results.items():
        ours = times[OURS]
        others = sorted((seconds, name) for name, seconds in times.items() if name != OURS)
        rest = ", ".join(f"{name} {seconds / ours:.1f}" for seconds, name in others)
        best = f"{spell(others[0][0])} ({others[0][1]}) | {others[0][0] / ours:.1f}x" if others else "- | -"
        lines.append(f"| {case} | {spell(ours)} | {best} | {rest} |")
    return "\n".join(lines)


def run(options, threads):
    names = installed([text for text in options.peers.split(",") if text])
    results = {}
    for name, make in cases():
        if options.cases in name:
            calls = prepare(names, *make(), threads)
            results[name] = measure(calls, options.rounds, options.seconds)
            print(f"  {name}: {spell(results[name][OURS])}", file=sys.stderr, flush=True)
    print(f"\n{threads} thread{'s' if threads > 1 else ''}:\n\n{table(results)}", flush=True)
    return results


def run_in_processes(options, counts):
    """One process for each thread count: most libraries read theirs when they are imported."""
    for count in counts:
        variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(variables, str(count)), "OMP_WAIT_POLICY": "passive"}
        subprocess.run([sys.executable, *sys.argv, "--here", str(count)], env=environment, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default=f"1,{os.cpu_count()}", help="comma-separated counts")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.05, help="least time of a peer in a round")
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    parser.add_argument("--peers", default="", help="only peers whose name contains one of these")
    parser.add_argument("--json", help="where to write the medians, in seconds")
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here is None:
        run_in_processes(options, sorted({int(count) for count in options.threads.split(",")}))
        return
    results = run(options, options.here)
    if options.json:
        with open(f"{options.json}.{options.here}", "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
