"""Looks at a centre's page in Chromium as a person would, and says what is wrong and how long it took.

    look.py [--waiting N] [--shots FOLDER] [--untimed]

Needs xinghe and yhbatch in PATH, chromium and python3-websocket from Debian. Opens a
centre of its own in a folder of its own and closes it again. Exit status 1 when anything is not as it should be.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

import websocket


class Browser:
    def __init__(self, folder):
        self.program = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             "--remote-allow-origins=*", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self.await_port(folder + "/DevToolsActivePort")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = [page for page in json.load(answer) if page["type"] == "page"]
        self.socket = websocket.create_connection(pages[0]["webSocketDebuggerUrl"])
        self.number = 0
        self.complaints = []
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    @staticmethod
    def await_port(path):
        for _ in range(300):
            if os.path.exists(path):
                with open(path) as file:
                    return int(file.readline())
            time.sleep(0.1)
        raise SystemExit("chromium does not start")

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                return message.get("result", message)
            if message.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(message["params"]["exceptionDetails"]["text"])
            elif message.get("method") == "Log.entryAdded":
                entry = message["params"]["entry"]
                if entry["level"] in ("error", "warning"):
                    self.complaints.append(entry["text"])

    def ask(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return result["result"].get("value")

    def wait(self, expression, seconds=20):
        """Seconds until the expression holds; None when it does not."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            if self.ask(expression):
                return time.monotonic() - begin
            time.sleep(0.02)
        return None

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def shoot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


class Visit:
    def __init__(self, is_timed):
        self.faults = 0
        self.is_timed = is_timed

    def check(self, what, is_right, note=""):
        self.faults += not is_right
        print(f"{'ok   ' if is_right else 'WRONG'} {what}{note and ': ' + note}", flush=True)

    def timed(self, what, seconds, limit):
        note = "never" if seconds is None else f"{seconds * 1000:.0f} ms (limit {limit * 1000:.0f})"
        self.check(what, seconds is not None and (seconds <= limit or not self.is_timed), note)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def fill(folder, waiting):
    """Jobs of which some run, as many as the account's quota lets, and the others wait."""
    script = folder + "/job.sh"
    with open(script, "w") as file:
        file.write("#!/bin/bash\nsleep 60\n")
    for first in range(0, waiting, 1000):
        count = min(1000, waiting - first)
        run("yhbatch", "-p", "test", "-N", "8", "-t", "1-0", "-J", "later", f"--array=0-{count - 1}", script)
    return script


PLANNED = "document.querySelectorAll('main table tbody tr').length"


def find(browser, text):
    browser.ask(f"document.querySelector('#search').value = {json.dumps(text)}; "
                "document.querySelector('#search').dispatchEvent(new Event('input'))")


def visit(folder, waiting, shots, is_timed):
    look = Visit(is_timed)
    script = fill(folder, waiting)
    browser = Browser(folder + "/chromium")
    browser.size(1400, 900)
    begin = time.monotonic()
    browser.call("Page.navigate", url=run("xinghe", "open"))
    painted = browser.wait("document.querySelector('canvas')?.height > 200 && document.querySelector('table') != null")
    look.timed(f"first paint, 18,177 nodes, {waiting:,} waiting jobs", painted and time.monotonic() - begin, 1)
    look.check("the token is not in the address", "token" not in browser.ask("location.href"))

    browser.ask("location.hash = '#/jobs'")
    browser.wait("document.querySelectorAll('.row').length > 1")
    number = run("yhbatch", "--parsable", "-N", "7", "-t", "30", "-J", "seen", script)
    seen = browser.wait("[...document.querySelectorAll('.row')].some((row) => row.textContent.includes('seen'))", 10)
    look.timed("a submitted job is shown", seen, 2)
    find(browser, "name:seen nodes>=7")
    look.check("the search finds it alone", browser.ask("document.querySelectorAll('.row').length") == 2)
    shots and browser.shoot(shots + "/jobs.png")
    browser.ask("document.querySelectorAll('.row')[1].click()")
    look.check("its page shows its script", browser.wait("document.querySelector('pre')?.textContent.includes('sleep 60')") is not None)
    shots and browser.shoot(shots + "/job.png")
    run("yhcancel", number)
    look.check("its end is followed", browser.wait("document.querySelector('strong')?.textContent === 'CANCELLED'") is not None)

    browser.ask("location.hash = '#/node/cn0000'")
    look.check("a node shows its cores", browser.wait("document.querySelectorAll('main svg rect').length >= 13") is not None)
    shots and browser.shoot(shots + "/node.png")
    browser.ask("location.hash = '#/timeline'")
    look.check("the timeline has bars", browser.wait("document.querySelector('canvas')?.height > 300") is not None)
    if waiting <= 5000:
        look.check("it says who starts next", browser.wait(f"{PLANNED} == 12") is not None)
        for search, count in (("start<0s", 0), ("start<3650d", 12)):
            find(browser, search)
            look.check(f"{search} finds what is planned", browser.ask(f"{PLANNED} == {count}"))
        find(browser, "")
    shots and browser.shoot(shots + "/timeline.png")
    browser.ask("location.hash = '#/money'")
    look.check("accounts show money", browser.wait("document.querySelectorAll('.card').length >= 5") is not None)
    shots and browser.shoot(shots + "/money.png")

    browser.ask("location.hash = '#/now'")
    browser.wait("document.querySelector('#day') != null")
    unused = "[...document.querySelectorAll('.legend li')].some((row) => row.textContent === 'used 0')"
    for minutes, was_unused in ((-1440, True), (0, False)):
        browser.ask(f"document.querySelector('#day').value = '{minutes}'; "
                    "document.querySelector('#day').dispatchEvent(new Event('input'))")
        look.check(f"the map {-minutes // 60} hours ago", browser.ask(unused) == was_unused)
    browser.ask("document.querySelector('#language').click()")
    look.check("it speaks Chinese", browser.wait("document.querySelector('nav').textContent.includes('作业')") is not None)
    for width, dark in ((390, False), (1400, True), (2560, False)):
        browser.size(width, 844, dark)
        time.sleep(0.3)
        look.check(f"{width} px wide: nothing is cut off", browser.ask("document.documentElement.scrollWidth") <= width)
        shots and browser.shoot(f"{shots}/now-{width}{'-dark' if dark else ''}.png")
    look.check("the console is empty", not browser.complaints, "; ".join(browser.complaints[:3]))
    browser.program.terminate()
    browser.program.wait()
    return look.faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--waiting", type=int, default=50_000)
    parser.add_argument("--shots")
    parser.add_argument("--untimed", action="store_true", help="how long it takes is printed, and is no fault")
    options = parser.parse_args()
    if options.shots:
        options.shots = os.path.abspath(options.shots)
        os.makedirs(options.shots, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XINGHE_SOCKET"] = folder + "/socket"
        os.chdir(folder)  # jobs write their output where they were submitted
        run("xinghe", "up", "--state", folder + "/state", "--time", "stepped", "--machine", "tianjin", "--listen", "0")
        try:
            faults = visit(folder, options.waiting, options.shots, not options.untimed)
        finally:
            run("xinghe", "down")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
