"""How much of the cores went to work that is not ours.

It decides more than it seems to: engines whose threads wait for each other by spinning, as llama.cpp's do, lose a factor
of ten to one busy neighbour, where others lose half. Figures of a disturbed run would compare that and not the engines.
"""

import os
import pathlib
import resource
import time

STAT = pathlib.Path("/proc/stat")
IDLE, IOWAIT, STEAL = 3, 4, 7
GUEST = 8  # and what follows are counted in others


class Watch:
    """From its making on. Without /proc it knows nothing, and says so with None."""

    def __init__(self):
        self.began, self.before = time.monotonic(), state()

    def others(self):
        """The share of all cores, 0 to 1, that neither this process nor the children that it waited for had."""
        after, seconds = state(), time.monotonic() - self.began
        if after is None or seconds == 0:
            return None
        busy, own = (new - old for new, old in zip(after, self.before))
        return max(0.0, (busy - own) / (seconds * os.cpu_count()))


def state():
    """Seconds in which cores were busy or taken by other machines, and those of them that were ours."""
    if not STAT.exists():
        return None
    times = [int(t) for t in STAT.read_text().splitlines()[0].split()[1:]]
    busy = sum(t for i, t in enumerate(times[:GUEST]) if i not in (IDLE, IOWAIT)) / os.sysconf("SC_CLK_TCK")
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return busy, sum(usage.ru_utime + usage.ru_stime for usage in own)


def wait(limit, seconds):
    """Until other work takes less than that share, but no longer than so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        watch = Watch()
        time.sleep(2)
        if (watch.others() or 0) < limit:
            return
