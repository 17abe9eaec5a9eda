#!/usr/bin/env bash
# What is shown: in multi-process mode one empty file in the folder ends every scrape with struct.error, of all processes,
#   until a person removes it.
# Seen with: prometheus_client 0.26.0.
# Valid input: the library opens a file (which makes it, empty) and truncates it to its size in two steps; a process that
#   is killed between them, as by the kernel for its memory, leaves just such a file. So does a full disk.
# Why it matters: the metrics are gone from the moment that a process died, which is when they are looked at.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check prometheus_client==0.26.0
mkdir "$work/metrics"
PROMETHEUS_MULTIPROC_DIR="$work/metrics" "$work/venv/bin/python" - <<'PY'
import os
import signal
import struct
import sys

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client import mmap_dict
from prometheus_client.multiprocess import MultiProcessCollector

folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
Counter("seen", "What was seen", registry=CollectorRegistry()).inc()
together = CollectorRegistry()
MultiProcessCollector(together)
print("a scrape:", b"seen_total 1.0" in generate_latest(together))

# A second process, killed where the file is made and not yet truncated to its size.
pid = os.fork()
if not pid:
    mmap_dict.os.fstat = lambda _descriptor: os.kill(os.getpid(), signal.SIGKILL)
    mmap_dict.MmapedDict(f"{folder}/counter_{os.getpid()}.db")
os.waitpid(pid, 0)
print("left by the killed one:", [f"{name}: {os.path.getsize(f'{folder}/{name}')} bytes" for name in os.listdir(folder)])

try:
    generate_latest(together)
except struct.error as error:
    print("the next scrape: struct.error:", error)
    sys.exit(0)
print("the next scrape went well: the behaviour has changed")
sys.exit(1)
PY
