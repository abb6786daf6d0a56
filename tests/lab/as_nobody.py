"""Runs one whole-run test without any privilege: the program as installed, the user nobody.

    as_nobody.py TEST.py [ARGUMENT...]

Only root can become nobody, so for anybody else there is nothing to do (status 77: skipped). The
build folder may be where nobody cannot look, so the program is installed into a temporary prefix,
which is then moved: installed labs must be found from wherever they are.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

NOBODY = 65534


def interpreter(runner):
    """A python3 that nobody may start."""
    for python in (sys.executable, "/usr/bin/python3"):
        tried = subprocess.run([*runner, python, "-c", ""], capture_output=True, check=False)
        if tried.returncode == 0:
            return python
    sys.exit("nobody can start no python3 here")


def main(test, arguments):
    if os.getuid() != 0:
        return 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix="handlens-nobody-"))
    try:
        folder.chmod(0o755)
        build = os.environ["HANDLENS_BUILD"]
        subprocess.run(["cmake", "--install", build, "--prefix", folder / "new"],
                       stdout=subprocess.DEVNULL, check=True)
        (folder / "new").rename(folder / "prefix")
        for part in ("lab", "bench", test.parent.name):
            shutil.copytree(test.parent.parent / part, folder / "tests" / part, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(test.parents[2] / "captures", folder / "captures")
        (folder / "scripts").symlink_to(folder / "prefix/share/handlens/scripts")
        (folder / "tmp").mkdir()
        os.chown(folder / "tmp", NOBODY, NOBODY)
        subprocess.run(["chmod", "-R", "go+rX", folder / "prefix", folder / "tests",
                        folder / "captures"], check=True)
        environment = {**os.environ, "HANDLENS": str(folder / "prefix/bin/handlens"),
                       "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "tmp")}
        # The build folder is root's.
        del environment["HANDLENS_BUILD"]
        runner = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        script = folder / "tests" / test.parent.name / test.name
        return subprocess.run([*runner, interpreter(runner), script, *arguments],
                              env=environment, cwd=folder, check=False).returncode
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]))
