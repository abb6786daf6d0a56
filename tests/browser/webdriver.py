"""A browser for tests, Chromium or Firefox, without a window.

    with open_browser() as browser:
        browser.open(path)
        browser.run("return document.title")

Both do what W3C WebDriver says, by messages of their own: Chromium through chromedriver's HTTP,
Firefox through Marionette, the protocol that its own driver, geckodriver, speaks with it.
HANDLENS_BROWSER=firefox chooses Firefox.
"""

import base64
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

NAME = os.environ.get("HANDLENS_BROWSER", "chromium")
DRIVER = shutil.which("chromedriver", path="/usr/bin:/usr/lib/chromium:/usr/local/bin")
CHROMIUM = shutil.which("chromium", path="/usr/bin:/usr/local/bin")
FIREFOX = shutil.which("firefox-esr", path="/usr/bin:/usr/local/bin")

# As WebDriver names keys.
KEYS = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "tab": "\ue004",
        "enter": "\ue007", "escape": "\ue00c", "home": "\ue011", "end": "\ue010", "space": " "}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE = 120  # seconds, for what takes one at most


class Browser:
    """What both can do. command(name, parameters) is the browser's own, by WebDriver's names."""

    def __init__(self, program, arguments):
        self.folder = tempfile.mkdtemp(prefix="handlens-browser-")
        environment = {**os.environ, "HOME": self.folder, "TMPDIR": self.folder}
        self.output = pathlib.Path(self.folder, "output")
        with self.output.open("w") as output:
            self.process = subprocess.Popen([program, *arguments(self.folder)], stdout=output,
                                            stderr=subprocess.STDOUT, env=environment)

    def wait_for(self, look, what):
        """What look returns, once it is something."""
        deadline = time.monotonic() + PATIENCE
        while (found := look()) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{what} did not start: {self.output.read_text()[-400:]}")
            time.sleep(0.02)
        return found

    def open(self, path):
        self.command("Navigate", {"url": pathlib.Path(path).resolve().as_uri()})

    def run(self, script, *arguments):
        return self.command("ExecuteScript", {"script": script, "args": list(arguments)})

    def run_async(self, script):
        """The script's last argument is a function to call with the result."""
        return self.command("ExecuteAsyncScript", {"script": script, "args": []})

    def find(self, selector):
        return self.command("FindElement", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.command("ElementClick", {"id": self.find(selector)})

    def act(self, kind, actions):
        self.command("PerformActions", {"actions": [{"type": kind, "id": kind, "actions": actions}]})

    def press(self, *names):
        """Presses keys, one after the other, wherever the focus is."""
        self.act("key", [{"type": move, "value": KEYS.get(name, name)}
                         for name in names for move in ("keyDown", "keyUp")])

    def hover(self, selector):
        self.act("pointer", [{"type": "pointerMove", "duration": 0, "x": 0, "y": 0,
                              "origin": {ELEMENT: self.find(selector)}}])

    def resize(self, width, height):
        self.command("SetWindowRect", {"width": width, "height": height})

    def alert_is_open(self):
        try:
            self.command("GetAlertText", {})
            return True
        except AssertionError:
            return False

    def screenshot(self, path):
        picture = self.command("TakeScreenshot", {"full": False})
        pathlib.Path(path).write_bytes(base64.b64decode(picture))

    def print(self, path):
        paper = self.command("Print", {"background": False})
        pathlib.Path(path).write_bytes(base64.b64decode(paper))

    def close(self):
        try:
            self.leave()
            self.process.wait(timeout=20)
        except (AttributeError, OSError, AssertionError, subprocess.TimeoutExpired):
            self.process.terminate()
            self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Chromium(Browser):
    WAYS = {"Navigate": "POST /url", "ExecuteScript": "POST /execute/sync",
            "ExecuteAsyncScript": "POST /execute/async", "FindElement": "POST /element",
            "ElementClick": "POST /element/{id}/click", "PerformActions": "POST /actions",
            "SetWindowRect": "POST /window/rect", "GetAlertText": "GET /alert/text",
            "TakeScreenshot": "GET /screenshot", "Print": "POST /print", "GetLog": "POST /se/log",
            "DeleteSession": "DELETE "}

    def __init__(self, width, height, dark):
        super().__init__(DRIVER, lambda folder: ["--port=0"])
        self.port = self.wait_for(self.read_port, "chromedriver")
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
                     "--no-first-run", "--disable-background-networking", "--disable-sync",
                     "--disable-component-update", "--disable-dev-shm-usage",
                     f"--user-data-dir={self.folder}/profile", f"--window-size={width},{height}"]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": CHROMIUM, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = "/session/" + answer["sessionId"]

    def read_port(self):
        for line in self.output.read_text().splitlines():
            if "started successfully on port" in line:
                return int(line.rstrip(".").rsplit(" ", 1)[1])
        return None

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and "error" in answer:
            raise AssertionError(f"{answer['error']}: {answer['message']}")
        return answer

    def command(self, name, parameters):
        method, path = self.WAYS[name].split(" ", 1)
        return self.ask(method, self.session + path.format(**parameters),
                        parameters if method == "POST" else None)

    def console(self):
        """What the page complained of, since it was last asked."""
        log = self.command("GetLog", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] in ("SEVERE", "WARNING")]

    def leave(self):
        self.command("DeleteSession", {})
        self.process.terminate()


class Firefox(Browser):
    """Each message is its length, a colon and JSON: [0, number, command, parameters] of ours, and
    [1, number, error, result] in answer."""

    def __init__(self, width, height, dark):
        self.dark = dark
        super().__init__(FIREFOX, self.arguments)
        self.count = 0
        port = self.wait_for(self.read_port, "firefox")
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.unread = b""
        self.receive()
        self.command("NewSession", {"capabilities": {"alwaysMatch": {
            "unhandledPromptBehavior": "ignore"}}})
        self.resize(width, height)

    def arguments(self, folder):
        profile = pathlib.Path(folder, "profile")
        profile.mkdir()
        settings = {"marionette.port": 0, "app.update.disabledForTesting": True,
                    "datareporting.policy.dataSubmissionEnabled": False,
                    "network.captive-portal-service.enabled": False,
                    "network.connectivity-service.enabled": False,
                    "browser.shell.checkDefaultBrowser": False,
                    "browser.startup.page": 0, "browser.aboutwelcome.enabled": False,
                    "layout.css.prefers-color-scheme.content-override": 0 if self.dark else 1}
        profile.joinpath("user.js").write_text("".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in settings.items()))
        # The console is the browser's own, not the page's: hence the last.
        return ["--headless", "--no-remote", "--profile", str(profile), "--marionette",
                "--remote-allow-system-access"]

    def read_port(self):
        file = pathlib.Path(self.folder, "profile", "MarionetteActivePort")
        text = file.read_text() if file.exists() else ""
        return int(text) if text else None

    def receive(self):
        while True:
            length, colon, rest = self.unread.partition(b":")
            if colon and len(rest) >= int(length):
                self.unread = rest[int(length):]
                return json.loads(rest[:int(length)])
            heard = self.connection.recv(1 << 20)
            if not heard:
                raise AssertionError("firefox hung up")
            self.unread += heard

    def command(self, name, parameters, owner="WebDriver"):
        self.count += 1
        message = json.dumps([0, self.count, f"{owner}:{name}", parameters]).encode()
        self.connection.sendall(b"%d:%b" % (len(message), message))
        _, number, error, result = self.receive()
        assert number == self.count, f"an answer to {number} came to {self.count}"
        if error is not None:
            raise AssertionError(f"{error['error']}: {error['message']}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def console(self):
        """What the page complained of, since it was last asked."""
        self.command("SetContext", {"value": "chrome"}, "Marionette")
        try:
            return self.run("""
                const said = Services.console.getMessageArray().filter((each) =>
                    each instanceof Ci.nsIScriptError && each.sourceName.startsWith("file:"));
                Services.console.reset();
                return said.map((each) => each.errorMessage)""")
        finally:
            self.command("SetContext", {"value": "content"}, "Marionette")

    def leave(self):
        self.command("Quit", {"flags": ["eForceQuit"]}, "Marionette")
        self.connection.close()


def missing():
    """What is not installed of what the browser takes, or None."""
    if NAME == "firefox":
        return "firefox-esr" if FIREFOX is None else None
    return "chromium and chromium-driver" if DRIVER is None or CHROMIUM is None else None


def open_browser(width=1500, height=1000, dark=False):
    return (Firefox if NAME == "firefox" else Chromium)(width, height, dark)
