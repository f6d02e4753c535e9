"""What the interpreter does with its frames, its collector and its threads; each result is printed."""

import asyncio
import gc
import os
import sys
import threading
import traceback
import weakref
from collections import OrderedDict


class Node:
    ended = 0

    def __init__(self):
        self.me, self.more = self, {"é": [bytes(30)]}

    def __del__(self):
        # Frames, dictionaries and garbage from inside the collector.
        Node.ended += len([sys._getframe().f_code.co_name]) + len({str(n): n for n in range(9)}) - 9


def numbers(count):
    for number in range(count):
        yield number, sys._getframe().f_lineno


def deep(left, *more, **names):
    if not left:
        raise KeyError("the bottom", len(more), sorted(names))
    return deep(left - 1, left, *more[:3], name=left)


def exceptions():
    try:
        deep(200, 1, b=2)
    except KeyError as error:
        yield len(traceback.extract_tb(error.__traceback__)), error.args
    try:
        sys.setrecursionlimit(300)
        deep(10**6)
    except RecursionError as error:
        yield type(error).__name__
    finally:
        sys.setrecursionlimit(1000)
    try:
        bytearray(sys.maxsize)
    except MemoryError as error:
        yield type(error).__name__


def traced():
    seen = []

    def trace(frame, event, _):
        seen.append((event, frame.f_lineno - frame.f_code.co_firstlineno, sorted(frame.f_locals)))
        return trace

    sys.settrace(trace)
    sum(n for n, _ in numbers(3))
    sys.settrace(None)
    return [s[0] for s in seen].count("line"), len(seen) > 9


def cycles(rounds):
    for _ in range(rounds):
        Node()
    gc.collect()


def collections():
    begun = []

    def chain(left):
        block = bytes(900)  # nothing to collect for
        return left and chain(left - 1)

    def began(phase, _):
        if phase == "start":
            begun.append(phase)

    gc.collect()
    gc.callbacks.append(began)
    chain(200)
    gc.callbacks.remove(began)
    return len(begun)


async def task(number):
    async def steps():
        for step in range(number % 5):
            await asyncio.sleep(0)
            yield step

    return [step async for step in steps()]


async def tasks():
    return await asyncio.gather(*[task(number) for number in range(40)])


def forked():
    child = os.fork()
    if child == 0:
        cycles(20)
        os._exit(len(list(numbers(9))))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    gc.set_threshold(50, 3, 3)
    print("collections", collections())
    threads = [threading.Thread(target=cycles, args=(300,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        print(forked())
    print(list(exceptions()))
    print(traced())
    print(sum(map(len, asyncio.run(tasks()))))
    for thread in threads:
        thread.join()
    gc.collect()
    print("ended", Node.ended)
    weak = weakref.WeakValueDictionary({n: Node() for n in range(50)})
    gc.collect()
    print(len(weak), len(sys.intern("new" * 9)), len(OrderedDict((str(n), n) for n in range(500))))
    spaces = {}
    exec(compile("\n".join(f"x{n} = [{n}] * {n}" for n in range(300)), "ü\tname", "exec"), spaces)
    print(len(spaces["x299"]))


main()
