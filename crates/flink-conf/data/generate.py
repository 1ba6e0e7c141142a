#!/usr/bin/env python3
"""Merges one file of options per Flink minor into options.tsv: generate.py DIRECTORY > options.tsv

DIRECTORY holds MINOR.json for every minor, each a list of objects as the README beside this file
describes. Lines of one key that agree in several minors become one line with a set of minors.
"""
import json
import pathlib
import re
import sys

MINORS = ["1.11", "1.12", "1.13", "1.14", "1.15", "1.16", "1.17", "1.18", "1.19", "1.20", "2.0", "2.1", "2.2", "2.3"]
TYPES = {"list<string>": "list", "list<map>": "maps", "list<enum>": "enums", "memory": "size"}


def pattern(key):
    """Every placeholder, <...> or #, is <name>; neighbours stand for one name, which may hold dots."""
    return re.sub(r"(<name>\.)+<name>", "<name>", re.sub(r"<[^>]+>|#", "<name>", key))


def facts(lines):
    """One key may be defined by several constants: the one that is not deprecated counts."""
    line = sorted(lines, key=lambda o: (o.get("deprecated", False), o.get("internal", False)))[0]
    exact = line.get("default_ms", line.get("default_bytes"))
    flags = "".join(
        letter
        for letter, present in [
            ("d", all(o.get("deprecated") for o in lines)),
            ("i", all(o.get("internal") for o in lines)),
            ("c", line.get("documented_default_differs")),
        ]
        if present
    )
    default = line.get("default")
    return (
        TYPES.get(line["type"], line["type"]),
        "" if default is None else "=" + default,
        "" if exact is None else str(exact),
        ",".join(line.get("fallback_keys", [])),
        ",".join(line.get("deprecated_keys", [])),
        ",".join(line.get("enum_text", line.get("enum", []))),
        flags,
    )


def main():
    rows = {}
    for bit, minor in enumerate(MINORS):
        by_key = {}
        for option in json.loads(pathlib.Path(sys.argv[1], f"{minor}.json").read_text()):
            by_key.setdefault(pattern(option["key"]), []).append(option)
        for key, lines in by_key.items():
            at = (key, facts(lines))
            rows[at] = rows.get(at, 0) | 1 << bit
    for (key, values), minors in sorted(rows.items(), key=lambda row: (row[0][0], row[1])):
        line = "\t".join((key, f"{minors:04x}", *values))
        assert line.count("\t") == 8 and "\n" not in line, key
        print(line)


main()
