"""A browser for tests: Chromium through chromedriver, by WebDriver's own HTTP (W3C WebDriver).

    with Browser() as browser:
        browser.open(path)
        browser.run("return document.title")
"""

import base64
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

DRIVER = shutil.which("chromedriver", path="/usr/bin:/usr/lib/chromium:/usr/local/bin")
CHROMIUM = shutil.which("chromium", path="/usr/bin:/usr/local/bin")

# As WebDriver names keys.
KEYS = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "tab": "\ue004",
        "enter": "\ue007", "escape": "\ue00c", "home": "\ue011", "end": "\ue010", "space": " "}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    def __init__(self, width=1500, height=1000, dark=False):
        self.folder = tempfile.mkdtemp(prefix="handlens-browser-")
        environment = {**os.environ, "HOME": self.folder, "TMPDIR": self.folder}
        self.process = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.STDOUT, env=environment)
        self.port = self.read_port()
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
        for line in self.process.stdout:
            if "started successfully on port" in line:
                return int(line.rstrip().rstrip(".").rsplit(" ", 1)[1])
        raise RuntimeError("chromedriver did not start")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and "error" in answer:
            raise AssertionError(f"{answer['error']}: {answer['message']}")
        return answer

    def open(self, path):
        self.ask("POST", self.session + "/url", {"url": pathlib.Path(path).resolve().as_uri()})

    def run(self, script, *arguments):
        return self.ask("POST", self.session + "/execute/sync",
                        {"script": script, "args": list(arguments)})

    def find(self, selector):
        return self.ask("POST", self.session + "/element",
                        {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.ask("POST", f"{self.session}/element/{self.find(selector)}/click", {})

    def press(self, *names):
        """Presses keys, one after the other, wherever the focus is."""
        actions = []
        for name in names:
            key = KEYS.get(name, name)
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.ask("POST", self.session + "/actions",
                 {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def hover(self, selector):
        origin = {ELEMENT: self.find(selector)}
        self.ask("POST", self.session + "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "actions": [
                {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin}]}]})

    def resize(self, width, height):
        self.ask("POST", self.session + "/window/rect", {"width": width, "height": height})

    def console(self):
        """What the page complained of, since it was last asked."""
        log = self.ask("POST", self.session + "/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] in ("SEVERE", "WARNING")]

    def alert_is_open(self):
        try:
            self.ask("GET", self.session + "/alert/text")
            return True
        except AssertionError:
            return False

    def screenshot(self, path):
        picture = self.ask("GET", self.session + "/screenshot")
        pathlib.Path(path).write_bytes(base64.b64decode(picture))

    def close(self):
        try:
            self.ask("DELETE", self.session)
        except (AttributeError, OSError, AssertionError):
            pass
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
