"""What handlens says when something is wrong: every message of the sources, in one file to read.

    messages.py SRC LIST            LIST holds the messages of SRC, and each is written as all are
    messages.py SRC LIST --write    writes LIST anew

A message is a text given to one of the functions below. What a call puts together at run time
stands as printf's places do: %s, %u. LIST has them by file, in the order of the sources.
"""

import pathlib
import re
import sys

# Functions whose texts a user reads when something has gone wrong.
SPEAKERS = {"error_set", "luaL_error", "luaL_argerror", "not_a_capture", "damaged", "tell_damage"}
# Messages of several lines are put together in a buffer, in these files alone.
IN_BUFFERS = {"place/place.c", "place/ways_out.c", "host/outcome.c"}

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\w+|\s+|.', re.S)

# What must not be in a message, and why.
FAULTS = [
    (r"(?<!\.\.)\.$", "ends with a full stop"),
    (r"!", "shouts"),
    (r"^[A-Z][a-z]", "begins with a capital letter, though no name"),
    (r"\b(?:errno|error|code|status)[ :=]*%[diu]", "tells a number instead of its words"),
    (r"%s: %s: %s", "is a stack of other messages"),
    (r"(?i)\b(?:please|sorry|oops|unable to|failed to|illegal)\b", "has words that say nothing"),
]
LONGEST = 200
# Lines that may begin with a capital letter.
NAMES = re.compile(r"^(?:OpenSSL|Any one of these helps)\b")


def tokens_of(text):
    return [token for token in TOKEN.findall(text)
            if not token.isspace() and not token.startswith(("/*", "//"))]


def texts_of_call(tokens):
    """The texts among a call's arguments; literals side by side are one."""
    depth, texts, is_open = 0, [], False
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if depth == 0:
            break
        if token.startswith('"') and is_open:
            texts[-1] += token[1:-1]
        elif token.startswith('"'):
            texts.append(token[1:-1])
            is_open = True
        elif is_open and re.fullmatch(r"PRI[a-zA-Z]\d+", token):
            texts[-1] += token[3]  # PRIu64 stands between two literals
        else:
            is_open = False
    return texts


def messages_of(path, name):
    """The file's messages; what has no space in it is no sentence, but a word put into one."""
    tokens = tokens_of(path.read_text(encoding="utf-8"))
    found = []
    for at, token in enumerate(tokens[:-2]):
        speaks = token in SPEAKERS or (token == "fprintf" and tokens[at + 2] == "stderr") or (
            name in IN_BUFFERS and token in ("buffer_printf", "buffer_append_text"))
        if speaks and tokens[at + 1] == "(":
            found += texts_of_call(tokens[at + 1:])
    texts = [re.sub(r"\\n$", "", text.replace('\\"', '"')) for text in found]
    return [text for text in texts if " " in text.strip()]


def faults_of(message):
    for line in message.removeprefix("\\n").split("\\n"):
        for pattern, words in FAULTS:
            if re.search(pattern, line.strip()) and not NAMES.match(line):
                yield words
    if len(message) > LONGEST:
        yield f"has more than {LONGEST} characters"


def main(src, listed, write):
    lines, faults, count = [], [], 0
    for path in sorted(src.rglob("*.c")):
        name = str(path.relative_to(src))
        messages = messages_of(path, name)
        count += len(messages)
        if messages:
            lines += ["", name] + [f"    {message}" for message in messages]
        for message in messages:
            faults += [f"{path}: {fault}: \"{message}\"" for fault in faults_of(message)]
    text = "\n".join(["Every message of handlens about something that went wrong, by file. Made by",
                      f"{pathlib.Path(__file__).name}, which says how to make it anew."] + lines) + "\n"
    if write:
        listed.write_text(text, encoding="utf-8")
    elif listed.read_text(encoding="utf-8") != text:
        faults.append(f"{listed} is not what the sources say: "
                      f"python3 {sys.argv[0]} {src} {listed} --write, and read what has changed")
    print("\n".join(faults) or f"{count} messages")
    return 1 if faults or count < 100 else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), "--write" in sys.argv))
