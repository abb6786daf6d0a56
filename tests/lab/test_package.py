"""The Debian package has all it needs, runs for an ordinary user, and leaves nothing behind."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import clean_root
import handlens

NEEDED = ("cmake", "cpack", "dpkg", "dpkg-deb", "dpkg-query", "dpkg-shlibdeps")
missing = [name for name in NEEDED if not shutil.which(name)]


@contextlib.contextmanager
def fast_folder():
    """A temporary folder in memory, where there is one: dpkg waits for the disk after each file."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="handlens-package-", dir=memory) as folder:
        yield pathlib.Path(folder)


@unittest.skipIf(missing, f"not installed: {' '.join(missing)}")
@unittest.skipIf(handlens.SANITIZED or handlens.COUNTED, "what is packaged is not watched")
@unittest.skipUnless(os.environ.get("HANDLENS_BUILD"), "the program is an installed one already")
@handlens.needs_private
class Package(handlens.LabTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.built = cls.enterClassContext(fast_folder())
        subprocess.run(["cpack", "--config",
                        os.path.join(os.environ["HANDLENS_BUILD"], "CPackConfig.cmake"),
                        "-B", cls.built], check=True, capture_output=True)
        cls.deb, = cls.built.glob("handlens_*.deb")
        cls.archive, = cls.built.glob("handlens-*.tar.gz")

    def setUp(self):
        super().setUp()
        self.root = clean_root.CleanRoot(self.enterContext(fast_folder()) / "root")

    def field(self, name):
        return self.tool("dpkg-deb", "--field", self.deb, name).out.strip()

    def test_is_installed_alone_with_what_it_depends_on_and_removed_without_a_trace(self):
        root = self.root
        depends = [re.split(r"[ (]", each.strip())[0] for each in self.field("Depends").split(",")]
        self.assertIn("libpcap0.8", depends)
        root.add_from_host(depends)
        before = root.files()
        done = root.dpkg("--install", self.deb)
        self.assertEqual(done.returncode, 0, done)

        ran = root.run("/usr/bin/handlens", "run", "hello", "-q", "-w",
                       "/tmp/hello.pcapng")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran)
        self.assertIn("ESTABLISHED", ran.stdout)
        self.assertIn("10 packets", ran.stdout)
        viewed = root.run("/usr/bin/handlens", "view", "/tmp/hello.pcapng")
        self.assertEqual(viewed.stdout, ran.stdout)
        judged = root.run("/usr/bin/handlens", "check", "hello",
                          "/usr/share/handlens/captures/hello.pcapng")
        self.assertEqual(judged.returncode, 0, judged)
        secure = root.run("/usr/bin/handlens", "check", "encrypted")
        self.assertEqual(secure.returncode, 0, secure)

        (root.folder / "tmp/hello.pcapng").unlink()
        done = root.dpkg("--purge", "handlens")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(root.files() - before, set())

    def test_is_refused_where_a_library_is_missing(self):
        self.root.add_from_host(["libc6"])
        done = self.root.dpkg("--install", self.deb)
        self.assertNotEqual(done.returncode, 0, done)
        self.assertIn("libpcap0.8", done.stderr)

    def test_has_its_files_where_debian_looks_for_them(self):
        listed = self.tool("dpkg-deb", "--contents", self.deb).out
        for path in ("usr/bin/handlens", "usr/share/handlens/scripts/hello.lua",
                     "usr/share/handlens/captures/hello.pcapng",
                     "usr/share/man/man1/handlens.1.gz", "usr/share/man/man5/handlens-lab.5.gz",
                     "usr/share/bash-completion/completions/handlens",
                     "usr/share/zsh/vendor-completions/_handlens",
                     "usr/share/fish/vendor_completions.d/handlens.fish",
                     "usr/share/doc/handlens/copyright", "usr/share/doc/handlens/README.md"):
            self.assertRegex(listed, rf"(?m)^-rw[x-]r-[x-]r-[x-] root/root .* \./{path}$")
        self.assertNotRegex(listed, r"(?m)^.....w|^........w", "others may write")

    def test_names_what_it_is(self):
        self.assertEqual(self.field("Section"), "net")
        self.assertRegex(self.field("Maintainer"), r"^[\w ]+ <\S+@\S+>$")
        self.assertRegex(self.field("Description"), r"^\w.{20,70}\n ")

    def test_archive_runs_from_wherever_it_is_unpacked(self):
        self.tool("tar", "-xzf", self.archive, "-C", self.folder)
        unpacked, = self.folder.glob("handlens-*")
        ran = self.tool(unpacked / "bin/handlens", "run", "hello")
        self.assertIn("10 packets", ran.out)


if __name__ == "__main__":
    handlens.main()
