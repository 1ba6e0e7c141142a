#!/usr/bin/env python3
"""Asks Maven's own class for the order of every two of some versions, and writes ../versions.txt.

    python3 crates/maven-version/tests/data/record/versions.py
"""

import itertools
import re
import subprocess
from pathlib import Path

LIB = "/usr/share/maven/lib"
CLASSES = f"{LIB}/maven-artifact-3.x.jar:{LIB}/commons-lang3.jar"
VERSIONS = """1 1.0 1.0.0 1-ga 1.final 1-1 1.1 1.2 1.10 01.1 1-alpha 1-alpha1 1-a1 1a1 1alpha 1-beta-2 1-b2 1b 1-m3 1-rc
1-rc1 1-cr1 1.0.RC2 1-SNAPSHOT 1.1-SNAPSHOT 1-sp 1-sp1 1-xyz 1.xyz 1.0.1 1.0-1 1.0-20240101.120000-3 2.0.1-xyz
31.1-jre 31.1-android 3.4.0-1.20 1.0.0.Final 9.4.51.v20230217 2.12.0-M1 1.8.0_412 20040616 1..2 1.-2 -1 1- 1.0-x-1
99999999999999999999 1.99999999999999999999""".split()

words = [word for pair in itertools.combinations(VERSIONS, 2) for word in pair]
answer = subprocess.run(["java", "-cp", CLASSES, "org.apache.maven.artifact.versioning.ComparableVersion", *words],
                        check=True, capture_output=True, text=True).stdout
lines = [line.strip() for line in answer.splitlines() if re.match(r"^   \S+ (<|==|>) \S+$", line)]
target = Path(__file__).resolve().parent.parent / "versions.txt"
target.write_text("\n".join(dict.fromkeys(lines)) + "\n")
print(len(lines), "comparisons")
