"""Three lines that allocate, in two threads. `--trace` prints what tracemalloc says of each."""

import sys
import threading


def fill(blocks, kept):
    for number in range(blocks):
        kept.append(bytes(1000))  # line: small
        kept.append(bytearray(5000))  # line: middle
        if number % 8 == 0:
            kept.append([None] * 2000)  # line: large


def main():
    if "--trace" in sys.argv:
        import tracemalloc

        tracemalloc.start()
    kept = [[], []]
    threads = [threading.Thread(target=fill, args=(4000, k)) for k in kept]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if "--trace" in sys.argv:
        for seen in tracemalloc.take_snapshot().statistics("lineno"):
            where = seen.traceback[0]
            if where.filename == __file__:
                print(where.lineno, seen.size)
    else:
        print(sum(len(block) for k in kept for block in k))


main()
