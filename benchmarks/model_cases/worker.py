"""Answers each line on standard input, the name of a case, by milliseconds of processor time a call."""

import importlib
import sys
import time

#: Seconds of calls in one answer.
SPAN = 0.1


def main() -> None:
    cases = importlib.import_module(sys.argv[1]).CASES
    name, call, count = "", None, 1
    for line in sys.stdin:
        asked = line.strip()
        if asked == "cases":
            print(",".join(cases), flush=True)
            continue
        if asked != name:
            name, call = asked, cases[asked]()
            for _ in range(2):
                call()
            start = time.process_time()
            call()
            count = max(1, int(SPAN / max(time.process_time() - start, 1e-6)))
        start = time.process_time()
        for _ in range(count):
            call()
        print(1e3 * (time.process_time() - start) / count, flush=True)


main()
