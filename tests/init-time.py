#!/usr/bin/env python3
"""How long a function's init takes: from the start of its process to its first `GET …/invocation/next`.

    tests/init-time.py [--runs N] [--within MS] BINARY [NAME=VALUE...]

Starts BINARY again and again with only the variables NAME=VALUE, as the Runtime API of AWS Lambda, and stamps when it
asks for its first event; then it is killed. Prints the fastest, the median and the slowest of N runs (21), and the median
of the processor time of all threads until then. With --within, exits with 1 if that median is more, or if the fastest took
twice as long: the others wait for a turn on a machine that others use, too.
"""

import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time


def processor_ms(pid):
    """The time that all threads of a process have been on a processor (the scheduler's own count), in ms."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e6


def init(api, command, environment):
    """One start: (ms until the first request, ms on a processor), or the exit code of one that did not come so far."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                connection, _ = api.accept()
                break
            except TimeoutError:
                if process.poll() is not None:
                    sys.exit(f"{command[0]} ended with {process.returncode} before it asked for an event")
        with connection:
            request = connection.recv(4096)
            took = (time.perf_counter() - began) * 1e3
            on_processor = processor_ms(process.pid)
        if b"/runtime/invocation/next" not in request.split(b"\r\n", 1)[0]:
            sys.exit(f"{command[0]} asked for {request.split(b' ')[1].decode()} first")
        return took, on_processor
    finally:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--within", type=float, metavar="MS")
    parser.add_argument("binary")
    parser.add_argument("variables", nargs="*", metavar="NAME=VALUE")
    arguments = parser.parse_args()

    api = socket.create_server(("127.0.0.1", 0))
    api.settimeout(0.5)
    address = f"127.0.0.1:{api.getsockname()[1]}"
    environment = {"AWS_LAMBDA_RUNTIME_API": address, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "quotelake"}
    environment |= {"AWS_SECRET_ACCESS_KEY": "quotelake-local", "AWS_LAMBDA_FUNCTION_NAME": "init"}
    environment |= {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1"}
    environment |= dict(variable.split("=", 1) for variable in arguments.variables)

    binary = os.path.abspath(arguments.binary)
    init(api, [binary], environment)
    runs = [init(api, [binary], environment) for _ in range(arguments.runs)]
    took = sorted(wall for wall, _ in runs)
    processor = statistics.median(cpu for _, cpu in runs)
    median = statistics.median(took)
    print(
        f"{os.path.basename(os.path.dirname(binary))}/{os.path.basename(binary)}: init {took[0]:.1f} ms fastest, "
        f"{median:.1f} ms median, {took[-1]:.1f} ms slowest, {processor:.1f} ms on a processor"
    )
    if arguments.within is None:
        return
    if processor > arguments.within:
        sys.exit(f"init took {processor:.1f} ms on a processor, more than {arguments.within:g} ms")
    if took[0] > 2 * arguments.within:
        sys.exit(f"no init took less than {took[0]:.1f} ms, more than twice {arguments.within:g} ms: it waits for something")


main()
