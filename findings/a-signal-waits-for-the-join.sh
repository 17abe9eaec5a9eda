#!/usr/bin/env bash
# What is shown: a handler set by signal.signal is not run at all while the main thread waits, where the signal came in the
#   moment in which that wait began. The usual way to end a service (the handler sets an Event, the main thread joins the
#   threads that wait for it) then never ends, until some other signal comes. Bounded waits, and signal.set_wakeup_fd
#   with a thread that reads it, are not affected.
# Seen with: CPython 3.11.7 and 3.13.0 on Linux, glibc 2.36, two busy cores; 8 of 961 signals and 13 of 555 beside two busy
#   threads, 4 of 744 beside none. The standard library alone: nothing is installed. PYTHON names another interpreter.
# Valid input: one SIGUSR1 after the other, each sent by another process within 20 ms of the start of a wait for a lock.
# Why it matters: of processes that are told to stop or to reload at any moment, one in some hundreds does neither, and
#   the manager kills it in the end. time.sleep and select have their time-out; Thread.join() and Lock.acquire() have none.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
"${PYTHON:-python3}" - <<'PY'
import contextlib, os, platform, random, signal, sys, threading, time

SECONDS, BUSY_THREADS, LONGEST_WAIT = 60, 2, 2.0
lock, handled, told = threading.Lock(), threading.Event(), threading.Event()
rounds, lost, reader = 0, 0, os.pipe()


def release() -> None:
    with contextlib.suppress(RuntimeError):  # the watch was earlier
        lock.release()


def handle(*_: object) -> None:
    handled.set()
    release()


def spin() -> None:
    while True:
        pass


def moment() -> None:
    until = time.perf_counter() + random.random() * 0.02
    while time.perf_counter() < until:
        pass


def watch() -> None:
    """Frees the main thread where the handler has not, long after the signal."""
    global lost
    while True:
        seen = rounds
        time.sleep(LONGEST_WAIT)
        if rounds == seen and not handled.is_set() and told.is_set():
            lost += 1
            release()


main = os.getpid()
sender = os.fork()
if sender == 0:
    while os.read(reader[0], 1):
        moment()
        os.kill(main, signal.SIGUSR1)
    os._exit(0)
signal.signal(signal.SIGUSR1, handle)
for target in (spin,) * BUSY_THREADS + (watch,):
    threading.Thread(target=target, daemon=True).start()
lock.acquire()
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    handled.clear()
    os.write(reader[1], b"x")
    moment()
    told.set()
    lock.acquire()  # the handler frees it
    told.clear()
    rounds += 1
    handled.wait(LONGEST_WAIT)  # a handler that was late runs here at last
os.kill(sender, signal.SIGKILL)
print(f"CPython {platform.python_version()}: {rounds} signals, {lost} not handled within {LONGEST_WAIT:g} s")
sys.stdout.flush()
os._exit(0 if lost else 1)
PY
