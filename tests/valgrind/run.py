"""The program and the unit tests under valgrind: no memory misread, none lost.

    run.py BUILD [program] [units]

Without a second word, both. All of it happens in a network namespace of its own, since valgrind knows
no way into a private loopback. What it cannot run, or what measures time, is left out: UNITS_WITHOUT.
It says what ran, and the status is 1 if something was found or failed.
"""

import concurrent.futures
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOUND = 99  # valgrind's exit status, which none of ours is
VALGRIND = ["valgrind", "-q", "--leak-check=full", f"--error-exitcode={FOUND}",
            "--errors-for-leak-kinds=definite,indirect,possible",
            "--show-leak-kinds=definite,indirect,possible"]
UNITS_WITHOUT = {
    "place": "valgrind has neither namespaces nor seccomp",
    "script_test_limits": "limits are seconds, and valgrind is slow",
    "script_test_matcher": "limits are seconds, and valgrind is slow",
}
LABS = ["hello", "datagram", "multiplex", "encrypted", "unread"]
VIEWS = ["ladder", "packets", "bytes", "stream", "flows", "json", "html"]
CAPTURES = ["hello", "encrypted", "sack", "fragments"]


def left_out(program):
    return any(program.startswith(name) for name in UNITS_WITHOUT)


def run(command):
    """Whether it did what it was asked for and nothing was found; if not, that is told."""
    done = subprocess.run([*VALGRIND, *map(str, command)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=600)
    name = " ".join([pathlib.Path(command[0]).name, *map(str, command[1:])])
    return tell(name, done.returncode == 0, done.stderr.decode())


def tell(name, well, said):
    print(("ok      " if well else "FAILED  ") + name, flush=True)
    if not well:
        print(said, flush=True)
    return well


def units(build, _):
    programs = sorted(path for path in build.glob("*_test_*") if os.access(path, os.X_OK) and
                      path.is_file())
    return [[path] for path in programs if not left_out(path.name)]


def exchanges(build, folder):
    """One after the other, since they have one loopback and the same ports."""
    handlens = build / "handlens"
    runs = [[handlens, "run", lab, "--here", "-w", folder / f"{lab}.pcapng"] for lab in LABS]
    return [run(command) for command in [*runs, [handlens, "check", "hello"]]] + [served(build, folder)]


def program(build, _):
    handlens = build / "handlens"
    captures = [ROOT / "captures" / f"{name}.pcapng" for name in CAPTURES]
    views = [[handlens, "view", capture, "--as", view] for capture in captures for view in VIEWS]
    return [*views, [handlens, "check", "hello", captures[0]], [handlens, "labs"],
            [handlens, "run", "--help"]]


def served(build, folder):
    """A server that records, with three clients."""
    server = subprocess.Popen([*VALGRIND, build / "handlens", "serve", "echo", "--port", "7000", "-w",
                               folder / "served.pcapng"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = server.stderr.readline()
    while said and b"Ctrl-C ends it" not in said:
        said = server.stderr.readline()
    for message in (b"one", b"two" * 5000, b""):
        with socket.create_connection(("127.0.0.1", 7000), timeout=60) as client:
            client.sendall(message)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
    server.send_signal(signal.SIGTERM)
    said = server.communicate(timeout=120)[1]
    return tell("handlens serve echo", server.returncode == 0, said.decode())


def inside(build, words):
    groups = {"program": program, "units": units}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        commands = [command for word in words or groups for command in groups[word](build, folder)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(run, commands)
            well = exchanges(build, folder) if not words or "program" in words else []
            well += found
    if not words or "units" in words:
        for name, reason in UNITS_WITHOUT.items():
            print(f"without {name}: {reason}")
    print(f"valgrind: {well.count(True)} of {len(well)} well")
    return 0 if all(well) else 1


def main():
    build, words = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    if words[:1] == ["inside"]:
        return inside(build, words[1:])
    command = 'ip link set lo up && exec "$0" "$@"'
    return subprocess.call(["unshare", "-rn", "sh", "-c", command, sys.executable, __file__,
                            str(build), "inside", *words])


if __name__ == "__main__":
    sys.exit(main())
