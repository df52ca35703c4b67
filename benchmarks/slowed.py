"""Lets processes run for a share of the time only, in turns: `python -m benchmarks.slowed SHARE PID …`, until its stdin ends.

So what a further one would add on a core of its own can be seen on a machine that has none for it.
"""

import os
import select
import signal
import sys
import time
from typing import Final

PERIOD: Final = 0.02
"""Seconds."""


def main(share: float, processes: list[int]) -> None:
    """Stop and continue *processes*, one a turn, so that each runs for *share* of every period."""
    pause = max(PERIOD / len(processes) - share * PERIOD, 0.0)
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        while not select.select([sys.stdin], [], [], 0)[0]:
            for process in processes:
                os.kill(process, signal.SIGCONT)
                time.sleep(share * PERIOD)
                os.kill(process, signal.SIGSTOP)
                time.sleep(pause)
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(each) for each in sys.argv[2:]])
