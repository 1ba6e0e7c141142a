"""Runs `kubectl`, in one namespace and with a home of its own."""

import json
import os
import subprocess
import threading
from queue import Empty, Queue

from lib.checks import PATIENCE, Failed


class Lines:
    """A command that goes on, and what it says, line by line."""

    def __init__(self, process):
        self.process = process
        self.lines = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def next(self):
        """The next line, or None at the end."""
        try:
            return self.lines.get(timeout=PATIENCE)
        except Empty:
            raise Failed(f"expected a line in {PATIENCE} s, got none") from None

    def until(self, part):
        """Reads up to the line that has this in it, and answers with it."""
        seen = []
        while (line := self.next()) is not None:
            if part in line:
                return line
            seen.append(line)
        raise Failed(f"expected a line with {part!r}, got {seen!r} and the end")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Kubectl:
    def __init__(self, program, image, home):
        self.program = program
        self.image = image
        self.home = home
        self.namespace = "default"
        self.version = (0, 0)
        self.environment = {**os.environ, "HOME": str(home)}

    def words(self, words):
        return [self.program, "--namespace", self.namespace, *words]

    def ask(self, *words, given=None, environment=None):
        """Runs it to its end; answers with code, output and complaints."""
        done = subprocess.run(
            self.words(words),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            env={**self.environment, **(environment or {})},
        )
        return done.returncode, done.stdout, done.stderr

    def run(self, *words, given=None, environment=None):
        """What it says; it must not fail."""
        code, output, complaints = self.ask(*words, given=given, environment=environment)
        if code != 0:
            raise Failed(f"expected `kubectl {' '.join(words)}` to do it, got {code}: {complaints}")
        return output

    def refused(self, *words, given=None, code=1):
        """What it complains about; it must fail with this code."""
        actual, output, complaints = self.ask(*words, given=given)
        if actual != code:
            said = f"{actual}: {output}{complaints}"
            raise Failed(f"expected `kubectl {' '.join(words)}` to fail with {code}, got {said}")
        return complaints

    def start(self, *words):
        """Starts one that goes on, whose complaints are among what it says."""
        process = subprocess.Popen(
            self.words(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )
        return Lines(process)

    def watch(self, kind, name, *words):
        """Watches one object, as a list of it: of one named alone, kubectl passes over the first that the watch says."""
        return self.start("get", kind, "--field-selector", f"metadata.name={name}", "--watch", *words)

    def object(self, *words):
        return json.loads(self.run("get", *words, "-o", "json"))

    def value(self, path, *words):
        """One value of an object by its JSONPath."""
        return self.run("get", *words, "-o", f"jsonpath={{{path}}}")

    def apply(self, *objects, words=()):
        """Applies objects as they are."""
        return self.run("apply", *words, "-f", "-", given=listed(objects))

    def create(self, *objects):
        return self.run("create", "-f", "-", given=listed(objects))


def listed(objects):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
