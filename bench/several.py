"""As many processes of one command as are asked for, ended together: `python -m bench.several 2 COMMAND …`.

In a word of the command {} is the process' number.
"""

from __future__ import annotations

import signal
import subprocess
import sys


def main() -> int:
    count, command = int(sys.argv[1]), sys.argv[2:]
    processes = [subprocess.Popen([word.replace("{}", str(one)) for word in command]) for one in range(count)]

    def end(number: int, _frame: object) -> None:
        for process in processes:
            process.send_signal(number)

    signal.signal(signal.SIGTERM, end)
    return max(process.wait() for process in processes)


if __name__ == "__main__":
    sys.exit(main())
