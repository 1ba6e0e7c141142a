"""What each program of checks says: one line a check, and at the end a code."""

import os
import random
import string
import time

# How long anything may take before it counts as never.
PATIENCE = 60


class Failed(Exception):
    """What was expected and what came."""


def expect(actual, expected):
    if actual != expected:
        raise Failed(f"expected {expected!r}, got {actual!r}")


def expect_in(text, *parts):
    for part in parts:
        if part not in text:
            raise Failed(f"expected {part!r} in {text!r}")


def short(text):
    """One line that fits on a screen or two, with beginning and end."""
    text = text.replace("\n", "\\n")
    return text if len(text) < 2000 else f"{text[:1000]} … {text[-1000:]}"


def until(look, what):
    """Looks until there is something true, and answers with it."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > end:
            raise Failed(f"expected {what}, got nothing in {PATIENCE} s")
        time.sleep(0.05)
    return found


def fresh(prefix):
    """A name that nothing has yet."""
    return prefix + "-" + "".join(random.choices(string.ascii_lowercase, k=6))


class Suite:
    """Checks in the order in which they stand."""

    def __init__(self):
        self.checks = []

    def check(self, name, since=(0, 0), needs=None):
        """Adds a check; `since` is the oldest client that has what it uses, `needs` what not every cluster has."""

        def add(function):
            self.checks.append((name, since, needs, function))
            return function

        return add

    def run(self, client, version=(0, 0)):
        """Runs them all; answers with the code to exit with."""
        failed = 0
        lacks = os.environ.get("LACKS", "").split()
        for name, since, needs, function in self.checks:
            if version < since:
                continue
            if needs in lacks:
                print(f"left out {name}: the cluster has no {needs}", flush=True)
                continue
            try:
                function(client)
                print(f"ok {name}", flush=True)
            except Exception as error:  # whatever goes wrong in a check is its failure
                failed += 1
                kind = "" if isinstance(error, Failed) else f"{type(error).__name__}: "
                print(f"FAILED {name}: {kind}{short(str(error))}", flush=True)
        return 1 if failed else 0
