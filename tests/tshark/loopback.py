"""The captures of real traffic, taken once for each test file that wants them."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import handlens

NAMES = ("loopback", "cooked", "short")


def take():
    """Takes them; returns {name: path}, in a folder to be removed by remove()."""
    for tool in ("unshare", "tcpdump", "ip"):
        if not shutil.which(tool, path="/usr/bin:/bin:/usr/sbin:/sbin"):
            raise unittest.SkipTest(f"{tool} is not installed")
    if not handlens.PRIVATE:
        raise unittest.SkipTest("no private loopback on this machine")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="handlens-tshark-"))
    # tcpdump would have root give its privileges away, and here that cannot be done; so be somebody else.
    done = subprocess.run(["unshare", "--user", "--map-user=1000", "--net", "--keep-caps", sys.executable,
                           pathlib.Path(__file__).with_name("traffic.py"), folder],
                          capture_output=True, text=True, timeout=120, check=False,
                          env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
    if done.returncode != 0:
        shutil.rmtree(folder)
        raise AssertionError(f"no captures could be taken:\n{done.stdout}{done.stderr}")
    return {name: folder / f"{name}.pcap" for name in NAMES}


def remove(paths):
    shutil.rmtree(paths[NAMES[0]].parent)
