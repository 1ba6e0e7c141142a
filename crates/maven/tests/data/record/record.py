#!/usr/bin/env python3
"""Asks Maven for the dependency tree of every case in ../cases.txt, and keeps what a resolver needs to answer the same.

    python3 crates/maven/tests/data/record/record.py /tmp/maven-record [TARGET]

Needs Maven 3.8 and a way to Maven Central. Writes beside cases.txt, or into the directory TARGET:
  trees/NAME.txt      what `mvn dependency:tree -Dscope=runtime` prints for a project that depends on the coordinates
  repository.json.gz  path in the repository -> the elements of the POM, or of the list of versions, that resolution reads
"""

import gzip
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0"
MODELS = Path("/usr/share/maven/lib/maven-model-builder-3.x.jar")
# What resolution reads of a POM; `*` is any name, and below it everything that is text.
KEEP = {
    "project": ["modelVersion", "parent", "groupId", "artifactId", "version", "packaging", "properties",
                "dependencyManagement", "dependencies", "distributionManagement", "profiles"],
    "parent": ["groupId", "artifactId", "version"],
    "properties": ["*"],
    "dependencyManagement": ["dependencies"],
    "dependencies": ["dependency"],
    "dependency": ["groupId", "artifactId", "version", "type", "classifier", "scope", "optional", "systemPath",
                   "exclusions"],
    "exclusions": ["exclusion"],
    "exclusion": ["groupId", "artifactId"],
    "distributionManagement": ["relocation"],
    "relocation": ["groupId", "artifactId", "version"],
    "profiles": ["profile"],
    "profile": ["id", "activation", "properties", "dependencyManagement", "dependencies"],
    "activation": ["activeByDefault", "jdk", "os", "property", "file"],
    "os": ["name", "family", "arch", "version"],
    "property": ["name", "value"],
    "file": ["exists", "missing"],
    "metadata": ["groupId", "artifactId", "versioning"],
    "versioning": ["latest", "release", "versions"],
    "versions": ["version"],
}


def cases():
    for line in (DATA / "cases.txt").read_text().splitlines():
        words = line.split()
        if words and not line.startswith("#"):
            yield words[0], [w for w in words[1:] if w[0] != "-"], [w[1:] for w in words[1:] if w[0] == "-"]


def module(name, coordinates, exclusions):
    def exclusion(word):
        group, artifact = word.split(":")
        return f"<exclusion><groupId>{group}</groupId><artifactId>{artifact}</artifactId></exclusion>"

    dependencies = []
    for word in coordinates:
        parts = word.split(":")
        group, artifact, version = parts[0], parts[1], parts[-1]
        kind = f"<type>{parts[2]}</type>" if len(parts) > 3 else ""
        classifier = f"<classifier>{parts[3]}</classifier>" if len(parts) > 4 else ""
        excluded = "".join(map(exclusion, exclusions))
        dependencies.append(
            f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
            f"{kind}{classifier}<exclusions>{excluded}</exclusions></dependency>")
    return (f"<project><modelVersion>4.0.0</modelVersion><groupId>case</groupId><artifactId>{name}</artifactId>"
            f"<version>1</version><dependencies>{''.join(dependencies)}</dependencies></project>")


def central():
    with zipfile.ZipFile(MODELS) as jar:
        text = jar.read("org/apache/maven/model/pom-4.0.0.xml").decode()
    return re.search(r"<url>(https[^<]*)</url>", text).group(1)


def ask_maven(work, names):
    modules = "".join(f"<module>{name}</module>" for name in names)
    (work / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>case</groupId><artifactId>all-cases</artifactId>"
        f"<version>1</version><packaging>pom</packaging><modules>{modules}</modules></project>")
    # Repositories that POMs name are not asked: all goes to Maven Central.
    (work / "settings.xml").write_text(
        "<settings><mirrors><mirror><id>central</id><mirrorOf>*</mirrorOf>"
        f"<url>{central()}</url></mirror></mirrors></settings>")
    command = ["mvn", "-B", "-ntp", "-fae", "-s", "settings.xml", f"-Dmaven.repo.local={work}/repository",
               f"{PLUGIN}:tree", "-Dscope=runtime", "-DoutputFile=tree.txt"]
    with open(work / "log.txt", "w") as log:
        subprocess.run(command, cwd=work, stdout=log, stderr=subprocess.STDOUT, check=False,
                       env=dict(os.environ, MAVEN_OPTS="-Xmx512m"))


def reduced(element, name):
    """The element with only what KEEP says, without namespace, comments and white space."""
    kept = ET.Element(name)
    children = KEEP.get(name, [])
    texts = (element.text or "").strip()
    for child in element:
        if not isinstance(child.tag, str):
            continue
        tag = child.tag.split("}")[-1]
        if "*" in children:
            leaf = ET.SubElement(kept, tag)
            leaf.text = (child.text or "").strip()
        elif tag in children:
            kept.append(reduced(child, tag))
    if not len(kept):
        kept.text = texts
    return kept


def missing(log, word):
    group, artifact, *_, version = word.split(":")
    return re.search(rf"The POM for {re.escape(group)}:{re.escape(artifact)}:[^ ]*{re.escape(version)} is missing", log)


def keep_repository(work, target):
    repository = work / "repository"
    facts = {}
    for file in sorted(repository.rglob("*.pom")):
        facts[file.relative_to(repository).as_posix()] = file
    for file in sorted(repository.rglob("maven-metadata-central.xml")):
        path = file.relative_to(repository).as_posix().replace("-central.xml", ".xml")
        facts[path] = file
    texts = {}
    for path, file in facts.items():
        if path.startswith(("org/apache/maven/plugins/", "case/")):
            continue
        # Some POMs use names of characters that XML does not know; Maven's reader does.
        text = re.sub(rb"&(?!(amp|lt|gt|quot|apos|#))\w+;", b"", file.read_bytes())
        # Nor does it know names such as <Xlint:-unchecked>.
        root = ET.fromstring(re.sub(rb"<(/?[\w.-]+):(?=\W)", rb"<\1_", text))
        texts[path] = ET.tostring(reduced(root, root.tag.split("}")[-1]), encoding="unicode")
    packed = gzip.compress(json.dumps(texts, separators=(",", ":")).encode(), 9, mtime=0)
    (target / "repository.json.gz").write_bytes(packed)
    return len(texts), len(packed)


def main():
    work = Path(sys.argv[1])
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else DATA
    wanted = list(cases())
    for name, coordinates, exclusions in wanted:
        (work / name).mkdir(parents=True, exist_ok=True)
        (work / name / "pom.xml").write_text(module(name, coordinates, exclusions))
    ask_maven(work, [name for name, _, _ in wanted])
    trees = target / "trees"
    trees.mkdir(parents=True, exist_ok=True)
    log = (work / "log.txt").read_text()
    for old in trees.glob("*.txt"):
        old.unlink()
    for name, coordinates, _ in wanted:
        tree = work / name / "tree.txt"
        unknown = [word for word in coordinates if missing(log, word)]
        if unknown:
            print(f"{name}: Maven Central has no {unknown}", file=sys.stderr)
        elif tree.is_file():
            (trees / f"{name}.txt").write_text(tree.read_text())
        else:
            print(f"no tree of {name}: see {work}/log.txt", file=sys.stderr)
    poms, size = keep_repository(work, target)
    print(f"{len(list(trees.glob('*.txt')))} trees, {poms} files, {size} bytes")


if __name__ == "__main__":
    main()
