"""Who may include whom.

    includes.py SRC TABLE

TABLE is written by CMake from its handlens_module lines, the one place where the rules stand:
"NAME: USED..." a line, USED being modules and PkgConfig:: libraries. A file in SRC/NAME, or
SRC/NAME.c itself, may include headers of NAME, of the modules it uses, and of those that they use;
and headers of the libraries on its own line.
"""

import pathlib
import re
import sys

# The headers of each library.
LIBRARIES = {
    "PkgConfig::LUA": r"lua\.h|lauxlib\.h|lualib\.h|luaconf\.h",
    "PkgConfig::PCAP": r"pcap\.h|pcap/.*",
    "PkgConfig::UV": r"uv\.h|uv/.*",
    "PkgConfig::OPENSSL": r"openssl/.*",
    "PkgConfig::SECCOMP": r"seccomp\.h",
    "PkgConfig::JANSSON": r"jansson\.h",
    "PkgConfig::UTF8PROC": r"utf8proc\.h",
    "PkgConfig::CMOCKA": r"cmocka\.h",
}

# These see bytes alone, so that they can be fuzzed and tested on bytes alone.
BYTES_ALONE = {"packet", "tcp"}
NOT_BYTES = r"sys/(socket|stat|ioctl|mman|time|un)\.h|fcntl\.h|unistd\.h|poll\.h|netdb\.h|time\.h"

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def read_table(path):
    table = {}
    for line in path.read_text().splitlines():
        name, _, used = line.partition(":")
        table[name] = used.split()
    return table


def reachable(table, name):
    seen, waiting = set(), [name]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += [used for used in table[module] if used in table]
    return seen


def library_of(header):
    for name, pattern in LIBRARIES.items():
        if re.fullmatch(pattern, header):
            return name
    return None


def judge(table, src, module, quote, header):
    """What is wrong with an include in a file of the module; None when nothing is."""
    if quote == '"':
        other = header.split("/")[0]
        if "/" not in header or not (src / header).is_file():
            return f'"{header}" is no header of src/; write "MODULE/NAME.h"'
        if other not in reachable(table, module):
            return f"{module} may not include {other}"
        return None
    library = library_of(header)
    if library and library not in table[module]:
        return f"{module} may not include <{header}> ({library})"
    if module in BYTES_ALONE and re.fullmatch(NOT_BYTES, header):
        return f"{module} knows bytes alone, not <{header}>"
    return None


def main(src, table_path):
    table = read_table(pathlib.Path(table_path))
    findings, files = [], 0
    for path in sorted(src.rglob("*.[ch]")):
        module = path.relative_to(src).parts[0] if path.parent != src else path.stem
        files += 1
        if module not in table:
            findings.append(f"{path}:1: src/{module} has no handlens_module line")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            wrong = match and judge(table, src, module, *match.groups())
            if wrong:
                findings.append(f"{path}:{number}: {wrong}")
    print("\n".join(findings) or f"{files} files keep to the table")
    return 1 if findings or not files else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
