//! The words by which POMs name licences, and the addresses of their texts.

/// Names as [`plain`] leaves them, and the SPDX expressions that they stand for. What names no version, or one of several
/// licences, is not here.
const NAMES: &[(&str, &str)] = &[
    ("apache 2", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("asf 2", "Apache-2.0"),
    ("asl 2", "Apache-2.0"),
    ("al 2", "Apache-2.0"),
    ("apache foundation 2", "Apache-2.0"),
    ("apache 1.1", "Apache-1.1"),
    ("apache 2 with llvm exception", "Apache-2.0 WITH LLVM-exception"),
    ("mit", "MIT"),
    ("mit mit", "MIT"),
    ("mit x11", "MIT"),
    ("expat", "MIT"),
    ("bouncy castle", "MIT"),
    ("mit 0", "MIT-0"),
    ("bsd 2 clause", "BSD-2-Clause"),
    ("bsd 2", "BSD-2-Clause"),
    ("2 clause bsd", "BSD-2-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("bsd 2 clause simplified", "BSD-2-Clause"),
    ("freebsd", "BSD-2-Clause"),
    ("bsd 3 clause", "BSD-3-Clause"),
    ("bsd 3", "BSD-3-Clause"),
    ("3 clause bsd", "BSD-3-Clause"),
    ("revised bsd", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("modified bsd", "BSD-3-Clause"),
    ("bsd new", "BSD-3-Clause"),
    ("bsd 3 clause new or revised", "BSD-3-Clause"),
    ("bsd 3 clause revised", "BSD-3-Clause"),
    ("eclipse distribution 1", "BSD-3-Clause"),
    ("edl 1", "BSD-3-Clause"),
    ("go", "BSD-3-Clause"),
    ("bsd 4 clause", "BSD-4-Clause"),
    ("isc", "ISC"),
    ("eclipse public 1", "EPL-1.0"),
    ("epl 1", "EPL-1.0"),
    ("eclipse public 2", "EPL-2.0"),
    ("epl 2", "EPL-2.0"),
    ("cddl 1", "CDDL-1.0"),
    ("common development and distribution cddl 1", "CDDL-1.0"),
    ("common development and distribution 1", "CDDL-1.0"),
    ("cddl 1.1", "CDDL-1.1"),
    ("common development and distribution cddl 1.1", "CDDL-1.1"),
    ("common development and distribution 1.1", "CDDL-1.1"),
    // The text of Oracle's dual licence is version 1.1 of the CDDL.
    (
        "cddl + gpl 2 with classpath exception",
        "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    ("cddl/gplv2+ce", "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0"),
    ("dual consisting of cddl 1.1 and gpl 2", "CDDL-1.1 OR GPL-2.0-only"),
    ("gpl 2 with classpath exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("gpl 2 w/ cpe", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("gpl2 w/ cpe", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("gnu general public 2 with classpath exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
    (
        "gnu general public 2 with gnu classpath exception",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    (
        "gnu general public gpl 2 with classpath exception",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    ("gpl 2", "GPL-2.0-only"),
    ("gnu gpl 2", "GPL-2.0-only"),
    ("gnu general public 2", "GPL-2.0-only"),
    ("gnu general public 2 only", "GPL-2.0-only"),
    ("gnu general public 2 or later", "GPL-2.0-or-later"),
    ("gpl 3", "GPL-3.0-only"),
    ("gnu gpl 3", "GPL-3.0-only"),
    ("gnu general public 3", "GPL-3.0-only"),
    ("gnu general public 3 or later", "GPL-3.0-or-later"),
    ("agpl 3", "AGPL-3.0-only"),
    ("gnu agpl 3", "AGPL-3.0-only"),
    ("gnu affero general public 3", "AGPL-3.0-only"),
    ("gnu affero general public 3 or later", "AGPL-3.0-or-later"),
    ("lgpl 2.1", "LGPL-2.1-only"),
    ("gnu lgpl 2.1", "LGPL-2.1-only"),
    ("gnu lesser public 2.1", "LGPL-2.1-only"),
    ("gnu lesser general public 2.1", "LGPL-2.1-only"),
    ("gnu lesser general public lgpl 2.1", "LGPL-2.1-only"),
    ("lesser general public 2.1", "LGPL-2.1-only"),
    ("lgpl 2.1 or later", "LGPL-2.1-or-later"),
    ("gnu lesser general public 2.1 or later", "LGPL-2.1-or-later"),
    ("lgpl 3", "LGPL-3.0-only"),
    ("gnu lgpl 3", "LGPL-3.0-only"),
    ("gnu lesser general public 3", "LGPL-3.0-only"),
    ("gnu lesser general public lgpl 3", "LGPL-3.0-only"),
    ("gnu lesser general public 3 or later", "LGPL-3.0-or-later"),
    ("mpl 1.1", "MPL-1.1"),
    ("mozilla public 1.1", "MPL-1.1"),
    ("mozilla public mpl 1.1", "MPL-1.1"),
    ("mpl 2", "MPL-2.0"),
    ("mozilla public 2", "MPL-2.0"),
    ("mozilla public mpl 2", "MPL-2.0"),
    ("cc0", "CC0-1.0"),
    ("cc0 1", "CC0-1.0"),
    ("cc0 1 universal", "CC0-1.0"),
    ("public domain per creative commons cc0", "CC0-1.0"),
    ("creative commons cc0", "CC0-1.0"),
    ("cc by 4", "CC-BY-4.0"),
    ("unlicense", "Unlicense"),
    ("zlib", "Zlib"),
    ("boost 1", "BSL-1.0"),
    ("bsl 1", "BSL-1.0"),
    ("unicode/icu", "ICU"),
    ("icu", "ICU"),
    ("json", "JSON"),
    ("w3c", "W3C"),
    ("universal permissive 1", "UPL-1.0"),
    ("upl 1", "UPL-1.0"),
    ("elastic 2", "Elastic-2.0"),
    ("server side public 1", "SSPL-1.0"),
    ("sspl 1", "SSPL-1.0"),
    ("business source 1.1", "BUSL-1.1"),
    ("wtfpl", "WTFPL"),
];

/// Addresses without scheme, `www.`, and endings of files.
const ADDRESSES: &[(&str, &str)] = &[
    ("apache.org/licenses/license-2.0", "Apache-2.0"),
    ("apache.org/license/license-2.0", "Apache-2.0"),
    ("opensource.org/licenses/apache2.0", "Apache-2.0"),
    ("opensource.org/licenses/apache-2.0", "Apache-2.0"),
    ("spdx.org/licenses/apache-2.0", "Apache-2.0"),
    ("opensource.org/licenses/mit", "MIT"),
    ("opensource.org/licenses/mit-license", "MIT"),
    ("opensource.org/license/mit", "MIT"),
    ("spdx.org/licenses/mit", "MIT"),
    ("jsoup.org/license", "MIT"),
    ("bouncycastle.org/licence", "MIT"),
    ("opensource.org/licenses/bsd-2-clause", "BSD-2-Clause"),
    ("opensource.org/licenses/bsd-3-clause", "BSD-3-Clause"),
    ("eclipse.org/org/documents/edl-v10", "BSD-3-Clause"),
    ("developers.google.com/open-source/licenses/bsd", "BSD-3-Clause"),
    ("eclipse.org/legal/epl-v10", "EPL-1.0"),
    ("opensource.org/licenses/eclipse-1.0", "EPL-1.0"),
    ("eclipse.org/legal/epl-v20", "EPL-2.0"),
    ("eclipse.org/legal/epl-2.0", "EPL-2.0"),
    ("eclipse.org/org/documents/epl-2.0/epl-2.0", "EPL-2.0"),
    ("opensource.org/licenses/cddl1", "CDDL-1.0"),
    ("opensource.org/licenses/cddl-1.0", "CDDL-1.0"),
    ("sun.com/cddl/cddl", "CDDL-1.0"),
    ("gnu.org/software/classpath/license", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("openjdk.java.net/legal/gplv2+ce", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("gnu.org/licenses/old-licenses/gpl-2.0", "GPL-2.0-only"),
    ("gnu.org/licenses/gpl-3.0", "GPL-3.0-only"),
    ("gnu.org/licenses/agpl-3.0", "AGPL-3.0-only"),
    ("gnu.org/licenses/lgpl-2.1", "LGPL-2.1-only"),
    ("gnu.org/licenses/old-licenses/lgpl-2.1", "LGPL-2.1-only"),
    ("opensource.org/licenses/lgpl-2.1", "LGPL-2.1-only"),
    ("gnu.org/licenses/lgpl-3.0", "LGPL-3.0-only"),
    ("mozilla.org/mpl/mpl-1.1", "MPL-1.1"),
    ("mozilla.org/mpl/2.0", "MPL-2.0"),
    ("mozilla.org/en-us/mpl/2.0", "MPL-2.0"),
    ("creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
    ("repository.jboss.org/licenses/cc0", "CC0-1.0"),
    ("creativecommons.org/licenses/by/4.0", "CC-BY-4.0"),
    ("unlicense.org", "Unlicense"),
    ("elastic.co/licensing/elastic-license", "Elastic-2.0"),
];

/// Words that say nothing about which licence it is.
const FILLERS: [&str; 9] =
    ["the", "license", "licence", "licenses", "version", "ver", "software", "v", "a"];

/// The SPDX expression that a name stands for.
pub(crate) fn by_name(name: &str) -> Option<&'static str> {
    find(NAMES, &plain(name))
}

/// The SPDX expression of the text at an address.
pub(crate) fn by_address(address: &str) -> Option<&'static str> {
    let lower = address.trim().to_ascii_lowercase();
    let (_, rest) = lower.split_once("://")?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let rest = rest.trim_end_matches('/');
    let ends = [".txt", ".html", ".php", ".htm", ".md"];
    let rest = ends.iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest);
    find(ADDRESSES, rest.trim_end_matches('/'))
}

fn find(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == key).map(|(_, id)| *id)
}

/// A name without what varies from POM to POM: small letters, no fillers, no marks between words, `2` for `v2.0`.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let parts = lower.split(|char: char| {
        char.is_whitespace() || matches!(char, ',' | '(' | ')' | '-' | '"' | ':' | ';' | '_')
    });
    let words: Vec<String> =
        parts.filter(|word| !word.is_empty() && !FILLERS.contains(word)).map(number).collect();
    words.join(" ")
}

/// `v2.0`, `2.0` and `2` are one; a number that follows letters, as in `gplv2`, is a word of its own.
fn number(word: &str) -> String {
    let word = word.trim_end_matches('.');
    let at = word.find(|char: char| char.is_ascii_digit()).unwrap_or(word.len());
    let (letters, digits) = word.split_at(at);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if digits.is_empty() || !is_number {
        return word.to_owned();
    }
    let digits = digits.strip_suffix(".0").unwrap_or(digits);
    match letters.strip_suffix('v') {
        Some("") => digits.to_owned(),
        Some(letters) => format!("{letters} {digits}"),
        None => format!("{letters}{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_a_valid_expression_and_can_be_found() {
        for (name, id) in NAMES {
            assert!(spdx::Expression::parse(id).is_ok(), "{id}");
            assert_eq!(plain(name), *name, "no name comes to this");
            assert_eq!(by_name(name), Some(*id), "{name} is there twice");
        }
        for (address, id) in ADDRESSES {
            assert!(spdx::Expression::parse(id).is_ok(), "{id}");
            assert_eq!(by_address(&format!("https://www.{address}.html")), Some(*id), "{address}");
        }
    }

    #[test]
    fn names_as_published_poms_have_them() {
        for (name, id) in [
            ("The Apache Software License, Version 2.0", "Apache-2.0"),
            ("Apache License, Version 2.0", "Apache-2.0"),
            ("Apache License 2.0", "Apache-2.0"),
            ("Apache License v2.0", "Apache-2.0"),
            ("Apache 2.0", "Apache-2.0"),
            ("Apache-2.0", "Apache-2.0"),
            ("Apache 2", "Apache-2.0"),
            ("The Apache License, Version 2.0", "Apache-2.0"),
            ("ASL, version 2", "Apache-2.0"),
            ("The MIT License (MIT)", "MIT"),
            ("MIT License", "MIT"),
            ("Bouncy Castle Licence", "MIT"),
            ("BSD-3-Clause", "BSD-3-Clause"),
            ("The BSD 3-Clause License", "BSD-3-Clause"),
            ("BSD 3-Clause \"New\" or \"Revised\" License", "BSD-3-Clause"),
            ("New BSD License", "BSD-3-Clause"),
            ("The New BSD License", "BSD-3-Clause"),
            ("Revised BSD", "BSD-3-Clause"),
            ("BSD License 3", "BSD-3-Clause"),
            ("Go License", "BSD-3-Clause"),
            ("EDL 1.0", "BSD-3-Clause"),
            ("Eclipse Distribution License - v 1.0", "BSD-3-Clause"),
            ("Eclipse Public License - v 1.0", "EPL-1.0"),
            ("Eclipse Public License - Version 1.0", "EPL-1.0"),
            ("Eclipse Public License v2.0", "EPL-2.0"),
            ("EPL 2.0", "EPL-2.0"),
            ("CDDL 1.1", "CDDL-1.1"),
            ("COMMON DEVELOPMENT AND DISTRIBUTION LICENSE (CDDL) Version 1.0", "CDDL-1.0"),
            ("CDDL/GPLv2+CE", "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0"),
            ("GPL2 w/ CPE", "GPL-2.0-only WITH Classpath-exception-2.0"),
            ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
            (
                "GNU General Public License, version 2 with the GNU Classpath Exception",
                "GPL-2.0-only WITH Classpath-exception-2.0",
            ),
            ("GNU Lesser General Public License, Version 2.1", "LGPL-2.1-only"),
            ("GNU Lesser Public License, Version 2.1", "LGPL-2.1-only"),
            ("LGPL-2.1-or-later", "LGPL-2.1-or-later"),
            ("MPL 1.1", "MPL-1.1"),
            ("Mozilla Public License Version 2.0", "MPL-2.0"),
            ("Public Domain, per Creative Commons CC0", "CC0-1.0"),
            ("Unicode/ICU License", "ICU"),
            ("Universal Permissive License, Version 1.0", "UPL-1.0"),
        ] {
            assert_eq!(by_name(name), Some(id), "{name}: {}", plain(name));
        }
    }
}
