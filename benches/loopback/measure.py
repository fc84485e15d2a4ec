"""Runs a command and measures it, from a small process of its own.

The peak memory that the system reports for a process starts at that of the process it was
started from; so commands are started by a helper that holds next to nothing.
"""

import marshal
import os
import subprocess
import sys

# Reads lists of words, an environment and a file for the output; starts the words, waits,
# and answers with what it measured.
HELPER = """
import marshal, os, signal, sys, time
child = None
signal.signal(signal.SIGALRM, lambda *_: child and os.kill(child, signal.SIGKILL))
while True:
    try:
        words, environment, output, limit = marshal.load(sys.stdin.buffer)
    except EOFError:
        break
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    actions += [(os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)]
    start = time.perf_counter()
    child = os.posix_spawn(words[0], words, environment, file_actions=actions)
    signal.alarm(limit)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - start
    signal.alarm(0)
    child = None
    cpu = used.ru_utime + used.ru_stime
    marshal.dump((os.waitstatus_to_exitcode(status), wall, cpu, used.ru_maxrss), sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""


class Run:
    """What one run took: seconds, seconds of processor time, KiB at the peak."""

    __slots__ = ("code", "wall", "cpu", "memory")

    def __init__(self, code, wall, cpu, memory):
        self.code, self.wall, self.cpu, self.memory = code, wall, cpu, memory


class Runner:
    """Starts commands one at a time."""

    def __init__(self):
        self.helper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", HELPER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, words, environment, output, limit=0):
        """Runs `words`; kills it after `limit` seconds where that is not 0."""
        asked = ([str(word) for word in words], environment, str(output), limit)
        marshal.dump(asked, self.helper.stdin)
        self.helper.stdin.flush()
        return Run(*marshal.load(self.helper.stdout))

    def floor(self, environment):
        """What is measured for a program that does nothing: the least of some runs."""
        runs = [self.run(["/bin/true"], environment, os.devnull) for _ in range(20)]
        return min(run.wall for run in runs), min(run.memory for run in runs)

    def close(self):
        self.helper.stdin.close()
        self.helper.wait()
