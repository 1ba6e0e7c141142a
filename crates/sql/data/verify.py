#!/usr/bin/env python3
"""Asks a Maven repository whether the lines of factories.tsv are right, and prints what is wrong.

    python3 crates/sql/data/verify.py [REPOSITORY]

Of each jar that is named with its release only what is needed is fetched: its directory, its service files, and the classes
that they name. The identifier must stand in one of those or in a class above it. For a line without a release there must be no
release for its minors: one that there is by now is named, so that it can be put in. What the repository does not have
is not known, and said; coordinates for minors that no line has are not looked for. The exit status is 1 if a line is wrong.
"""

import concurrent.futures
import io
import re
import struct
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

REPOSITORY = sys.argv[1] if len(sys.argv) > 1 else "https://repo.maven.apache.org/maven2"
TABLE = Path(__file__).resolve().parent / "factories.tsv"
# A version of each minor; the newest that the repository has is taken.
VERSIONS = ["1.11.6", "1.12.7", "1.13.6", "1.14.6", "1.15.4", "1.16.3", "1.17.2", "1.18.1", "1.19.3", "1.20.5",
            "2.0.2", "2.1.3", "2.2.1", "2.3.0"]
SERVICES = ["META-INF/services/org.apache.flink.table.factories.Factory",
            "META-INF/services/org.apache.flink.table.factories.TableFactory"]
MOST_ABOVE = 8


def minor(version):
    return ".".join(version.split(".")[:2])


def place(text):
    return tuple(int(part) for part in text.split("."))


def get(path, start=None, end=None):
    request = urllib.request.Request(f"{REPOSITORY}/{path}")
    if start is not None:
        request.add_header("Range", f"bytes={start}-{end}")
    for attempt in range(3):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError:
            raise
        except OSError:
            if attempt == 2:
                raise


class Remote(io.RawIOBase):
    """A file of the repository, of which only the parts are fetched that are read."""

    CHUNK = 1 << 16

    def __init__(self, path):
        self.path, self.at, self.chunks = path, 0, {}
        head = urllib.request.Request(f"{REPOSITORY}/{path}", method="HEAD")
        with urllib.request.urlopen(head, timeout=60) as answer:
            self.size = int(answer.headers["Content-Length"])

    def seekable(self):
        return True

    def readable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=0):
        self.at = [offset, self.at + offset, self.size + offset][whence]
        return self.at

    def readinto(self, buffer):
        data = self.read_part(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read_part(self, count):
        end = min(self.at + count, self.size)
        out = b""
        while self.at < end:
            number = self.at // self.CHUNK
            if number not in self.chunks:
                start = number * self.CHUNK
                self.chunks[number] = get(self.path, start, min(start + self.CHUNK, self.size) - 1)
            begin = self.at - number * self.CHUNK
            part = self.chunks[number][begin:begin + end - self.at]
            out += part
            self.at += len(part)
        return out


def texts_and_above(content):
    """The texts in the constants of a class file, and the class above it."""
    count, at, texts, classes = struct.unpack(">H", content[8:10])[0], 10, {}, {}
    number = 1
    while number < count:
        tag = content[at]
        if tag == 1:
            length = struct.unpack(">H", content[at + 1:at + 3])[0]
            texts[number] = content[at + 3:at + 3 + length].decode("utf-8", "replace")
            at += 3 + length
        else:
            if tag == 7:
                classes[number] = struct.unpack(">H", content[at + 1:at + 3])[0]
            at += {3: 5, 4: 5, 5: 9, 6: 9, 7: 3, 8: 3, 9: 5, 10: 5, 11: 5, 12: 5, 15: 4, 16: 3, 17: 5, 18: 5, 19: 3, 20: 3}[tag]
            number += tag in (5, 6)
        number += 1
    above = struct.unpack(">H", content[at + 4:at + 6])[0]
    return set(texts.values()), texts.get(classes.get(above))


def identifiers(path):
    """All texts of the factories that a jar lists."""
    jar = zipfile.ZipFile(io.BufferedReader(Remote(path), 1 << 16))
    names = set(jar.namelist())
    found = set()
    for service in SERVICES:
        if service not in names:
            continue
        for line in jar.read(service).decode().splitlines():
            entry = line.split("#")[0].strip().replace(".", "/")
            for _ in range(MOST_ABOVE):
                if not entry or f"{entry}.class" not in names:
                    break
                texts, entry = texts_and_above(jar.read(f"{entry}.class"))
                found |= texts
    return found


def versions(group, artifact):
    path = f"{group.replace('.', '/')}/{artifact}/maven-metadata.xml"
    return re.findall(r"<version>([^<]+)</version>", get(path).decode())


def newest(version, known):
    """The newest version of the same minor that the repository has."""
    same = [one for one in known if re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", one) and minor(one) == minor(version)]
    return max(same, key=place, default=None)


def check(line):
    """What is wrong with a line, what cannot be said, and how often it was right."""
    kind, identifier, minors, jar = line.split("\t")
    first, last = (minors.split("-") + [minors])[:2]
    meant = [version for version in VERSIONS if place(first) <= place(minor(version)) <= place(last)]
    wrong, unknown, right = [], [], 0
    for version in meant if jar != "-" else []:
        parts = jar.replace("{minor}", minor(version)).split(":")
        group, artifact = parts[:2]
        at = f"{kind} {identifier} on {minor(version)}: {':'.join(parts)}"
        try:
            known = versions(group, artifact)
        except urllib.error.HTTPError as error:
            unknown.append(f"{at}: the repository answers {error.code}")
            continue
        if len(parts) == 2:
            released = [one for one in known if re.search(rf"(-|_flink-){re.escape(minor(version))}$", one)]
            if released:
                wrong.append(f"{at}: there is a release, {released[-1]}")
            continue
        release = newest(version, known) if parts[2] == "{flink}" else parts[2]
        if release not in known:
            unknown.append(f"{at}: the repository does not have it")
            continue
        try:
            path = f"{group.replace('.', '/')}/{artifact}/{release}/{artifact}-{release}.jar"
            if identifier in identifiers(path):
                right += 1
            else:
                wrong.append(f"{at}: no factory of {release} has the identifier")
        except urllib.error.HTTPError as error:
            unknown.append(f"{at}: the repository answers {error.code} for the jar")
    return wrong, unknown, right


def main():
    lines = TABLE.read_text().splitlines()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(check, lines))
    wrong = [problem for problems, _, _ in found for problem in problems]
    unknown = [problem for _, problems, _ in found for problem in problems]
    for problem in wrong:
        print(f"wrong: {problem}")
    for problem in unknown:
        print(f"not known: {problem}")
    right = sum(count for _, _, count in found)
    print(f"{len(lines)} lines: {right} jars are right, {len(wrong)} wrong, {len(unknown)} not known", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
