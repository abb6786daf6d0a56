"""A root folder with a Debian package and the packages it depends on in it, and nothing else.

The package is installed there by dpkg itself; what it depends on comes from this machine, as its
dpkg has it. Run by anybody who may make user namespaces, or by root.
"""

import ctypes
import os
import re
import shutil
import subprocess

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 4096, 8192, 16384, 1 << 18

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, flags):
    check(libc.mount(os.fsencode(source), os.fsencode(target), None, flags, None), f"mount {target}")


def enter_user_namespace(user):
    """Becomes a user of that number, without any other, in a namespace of its own."""
    ours, group = os.getuid(), os.getgid()
    check(libc.unshare(CLONE_NEWUSER), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {ours} 1"),
                       ("gid_map", f"{user} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


class CleanRoot:
    """Everything in it belongs to its root, who is ours: root, or whoever runs this."""

    def __init__(self, folder):
        self.folder = folder
        self.dpkg("--version")  # whether namespaces work
        for name in ("proc", "dev", "tmp", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
            (folder / name).mkdir(parents=True)
        (folder / "tmp").chmod(0o1777)
        (folder / "dev/null").touch()
        for name in ("bin", "sbin", "lib", "lib64"):
            (folder / "usr" / name).mkdir(parents=True)
            (folder / name).symlink_to(f"usr/{name}")
        (folder / "var/lib/dpkg/status").touch()
        (folder / "var/lib/dpkg/available").touch()

    def dpkg(self, *words):
        """Runs dpkg on the root folder, as its root."""
        words = ["dpkg", "--root", self.folder, "--force-not-root", "--force-unsafe-io", *words]
        enter = None if os.getuid() == 0 else lambda: enter_user_namespace(0)
        return subprocess.run(words, preexec_fn=enter, capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"})

    def add_from_host(self, names):
        """Puts in the files of packages that are installed here, and of those they need."""
        waiting, seen = list(names), set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            status = subprocess.run(["dpkg-query", "--status", name], capture_output=True,
                                    text=True, check=True).stdout
            self.add_files(name)
            with open(self.folder / "var/lib/dpkg/status", "a", encoding="utf-8") as file:
                file.write(status + "\n")
            for field in re.findall(r"(?m)^(?:Pre-)?Depends: (.*)$", status):
                waiting += [self.installed_one(choices) for choices in field.split(",")]

    def installed_one(self, choices):
        """Of alternatives ("a (>= 1) | b"), the first that is installed here."""
        names = [re.split(r"[ :(]", choice.strip())[0] for choice in choices.split("|")]
        for name in names:
            found = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name],
                                   capture_output=True, text=True, check=False)
            if found.stdout == "installed":
                return name
        raise LookupError(f"none of {names} is installed on this machine")

    def add_files(self, name):
        listed = subprocess.run(["dpkg-query", "--listfiles", name], capture_output=True,
                                text=True, check=True).stdout
        for line in listed.splitlines():
            target = self.folder / line.lstrip("/")
            if "/share/" in line or not os.path.lexists(line) or os.path.lexists(target):
                continue
            if os.path.isdir(line) and not os.path.islink(line):
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(line, target, follow_symlinks=False)
        (self.folder / f"var/lib/dpkg/info/{name}.list").write_text(listed)

    def files(self):
        """Every path in it, but for what dpkg writes of itself."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")
                if not str(path.relative_to(self.folder)).startswith("var/")}

    def become_inhabitant(self):
        """Makes the folder the root of this process, which becomes a user without privileges."""
        is_root = os.getuid() == 0
        if not is_root:
            enter_user_namespace(0)
        check(libc.unshare(CLONE_NEWNS), "unshare")
        mount("none", "/", MS_REC | MS_PRIVATE)
        mount(self.folder, self.folder, MS_BIND | MS_REC)
        mount("/proc", self.folder / "proc", MS_BIND | MS_REC)
        mount("/dev/null", self.folder / "dev/null", MS_BIND)
        # It goes to where / is: within a mere chroot, nobody may make namespaces.
        os.chdir(self.folder)
        mount(".", "/", MS_MOVE)
        os.chroot(".")
        os.chdir("/tmp")
        if is_root:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        else:
            enter_user_namespace(1000)

    def run(self, *words, timeout=60):
        """Runs a program in it, as an ordinary user."""
        return subprocess.run(words, preexec_fn=self.become_inhabitant, capture_output=True,
                              text=True, check=False, timeout=timeout,
                              env={"PATH": "/usr/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8"})
