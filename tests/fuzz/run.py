"""Runs every fuzz target for some seconds, two at a time, and tells each's outcome in a line.

    run.py BUILD SOURCES SECONDS [TARGET...]

BUILD holds the programs fuzz_NAME; SOURCES/corpus/NAME the seeds, SOURCES/dictionary/NAME.dict, where
there is one, words worth trying. What a target finds worth keeping goes to BUILD/kept/NAME and is used
again next time; an input that makes it fail goes to BUILD/failed/NAME. The status is 1 if one failed.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

AT_ONCE = 2
MEMORY_MIB = 1024
SLOWEST = 10  # seconds one input may take


def command(build, sources, name, seconds):
    kept, failed = build / "kept" / name, build / "failed" / name
    for folder in (kept, failed):
        folder.mkdir(parents=True, exist_ok=True)
    words = [str(build / f"fuzz_{name}"), f"-max_total_time={seconds}", f"-timeout={SLOWEST}",
             f"-rss_limit_mb={MEMORY_MIB}", f"-artifact_prefix={failed}/", "-print_final_stats=1",
             str(kept)]
    seeds, dictionary = sources / "corpus" / name, sources / "dictionary" / f"{name}.dict"
    if seeds.is_dir():
        words.append(str(seeds))
    if dictionary.exists():
        words.append(f"-dict={dictionary}")
    return words


def run(build, sources, name, seconds):
    log = build / f"{name}.log"
    with open(log, "w") as out:
        status = subprocess.run(command(build, sources, name, seconds), stdout=out,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode
    text = log.read_text(errors="replace")
    return name, status, text, log


def last(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def summary(name, status, text, log):
    verdict = "no failure" if status == 0 else f"FAILED, status {status}; see {log}"
    inputs, edges = last(r"number_of_executed_units:\s+(\d+)", text), last(r"cov:\s+(\d+)", text)
    peak = last(r"peak_rss_mb:\s+(\d+)", text)
    return f"fuzz_{name:<8} {inputs:>9} inputs, {edges:>5} edges, {peak:>4} MiB: {verdict}"


def main():
    build, sources, seconds = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    names = sys.argv[4:] or sorted(path.stem.removeprefix("fuzz_")
                                   for path in sources.glob("fuzz_*.c"))
    failed = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(run, build, sources, name, seconds) for name in names]
        for job in concurrent.futures.as_completed(jobs):
            name, status, text, log = job.result()
            print(summary(name, status, text, log), flush=True)
            if status != 0:
                failed.append(name)
                print("\n".join(text.splitlines()[-40:]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
