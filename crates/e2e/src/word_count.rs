//! The demo's input and the result that is right for it.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};

use crate::{job_file::Pods, random, results::files_below};

/// The text is the same at every run.
const SEED: u64 = 0x5EED;
/// Words in the vocabulary; few enough that every one comes up many times.
const VOCABULARY: u64 = 4096;
const WORDS_A_LINE: u64 = 12;

/// A text in a directory and how often each word is in it.
#[derive(Debug)]
pub struct WordCount {
    counts: HashMap<String, u64>,
    bytes: u64,
}

impl WordCount {
    /// Writes at least `bytes` bytes of text to the file, the same text for the same size.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn generate(path: &Path, bytes: u64) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("could not create {}", path.display()))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let vocabulary: Vec<String> = (0..VOCABULARY).map(word).collect();
        let mut counts = vec![0_u64; vocabulary.len()];
        let mut state = SEED;
        let mut written = 0;
        while written < bytes {
            for place in 0..WORDS_A_LINE {
                let choice = skewed(&mut state);
                let word = &vocabulary[choice];
                counts[choice] += 1;
                out.write_all(word.as_bytes())?;
                out.write_all(if place + 1 == WORDS_A_LINE { b"\n" } else { b" " })?;
                written += word.len() as u64 + 1;
            }
        }
        out.flush()?;
        let counts = vocabulary.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
        Ok(Self { counts, bytes: written })
    }

    /// The size of the text in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many words the text has.
    pub fn words(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Compares with what Flink wrote below the directory: lines such as `(word,17)`. Says what was compared.
    ///
    /// # Errors
    /// If a word is missing, is there twice or has another count.
    pub fn check(&self, directory: &Path) -> Result<String> {
        let mut found: HashMap<String, u64> = HashMap::with_capacity(self.counts.len());
        for file in files_below(directory)? {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("could not read {}", file.display()))?;
            for line in text.lines() {
                let pair = line.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
                let (word, count) = pair
                    .and_then(|pair| pair.rsplit_once(','))
                    .with_context(|| format!("{} has the line {line:?}", file.display()))?;
                let count = count.parse().with_context(|| format!("{line:?} has no count"))?;
                ensure!(
                    found.insert(word.to_owned(), count).is_none(),
                    "{word} is in the result twice"
                );
            }
        }
        ensure!(
            found.len() == self.counts.len(),
            "{} words in the result, {} in the text",
            found.len(),
            self.counts.len()
        );
        for (word, count) in &self.counts {
            let counted = found.get(word);
            ensure!(
                counted == Some(count),
                "{word} is {count} times in the text, and Flink counted {counted:?}"
            );
        }
        Ok(format!("{} lines with {} words", self.counts.len(), self.words()))
    }
}

/// A pronounceable word for a number: syllables in base 64.
fn word(mut number: u64) -> String {
    const CONSONANTS: &[u8; 16] = b"bcdfghjklmnprstv";
    const VOWELS: &[u8; 4] = b"aeio";
    let mut text = String::new();
    loop {
        let syllable = usize::try_from(number % 64).unwrap_or_default();
        text.push(char::from(CONSONANTS[syllable / 4]));
        text.push(char::from(VOWELS[syllable % 4]));
        number /= 64;
        if number == 0 {
            return text;
        }
    }
}

/// A place in the vocabulary; small ones come up more often, as in real text.
fn skewed(state: &mut u64) -> usize {
    let (one, other) = (random::next(state) % VOCABULARY, random::next(state) % VOCABULARY);
    usize::try_from(one.min(other)).unwrap_or_default()
}

/// The job file of the demo: counts the words below one of the paths, which are the node's, into the other.
pub fn job_file(name: &str, version: &str, jar: &Path, paths: (&Path, &Path)) -> String {
    let templates = Pods::new(paths).templates();
    format!(
        "name: {name}
environment: local
flinkVersion: {version}
kind: jar
artifact: {jar}
mainClass: org.apache.flink.streaming.examples.wordcount.WordCount
arguments: [--input, file:///data/input/words.txt, --output, file:///data/output, --execution-mode, BATCH]
parallelism: 2
configuration:
  restart-strategy:
    type: fixed-delay
    fixed-delay: {{attempts: 3, delay: 1 s}}
  metrics.fetcher.update-interval: 1 s
resources:
  jobManager:
    cpu: 0.5
    memory: 1g
  taskManager:
    cpu: 0.5
    memory: 1g
    slots: 1
{templates}",
        jar = jar.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated() -> (tempfile::TempDir, WordCount) {
        let directory = tempfile::tempdir().unwrap();
        let words = WordCount::generate(&directory.path().join("words.txt"), 100_000).unwrap();
        (directory, words)
    }

    #[test]
    fn the_counts_are_those_of_the_text() {
        let (directory, words) = generated();
        let text = fs::read_to_string(directory.path().join("words.txt")).unwrap();
        let mut counts: HashMap<String, u64> = HashMap::new();
        for word in text.split_whitespace() {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
        assert_eq!(counts, words.counts);
        assert_eq!(text.len() as u64, words.bytes());
    }

    #[test]
    fn a_result_with_one_wrong_count_is_found() {
        let (directory, words) = generated();
        let result = directory.path().join("result");
        fs::create_dir(&result).unwrap();
        let mut lines: Vec<_> =
            words.counts.iter().map(|(word, count)| format!("({word},{count})")).collect();
        fs::write(result.join("part-0"), lines.join("\n")).unwrap();
        words.check(&result).unwrap();
        lines.pop();
        fs::write(result.join("part-0"), lines.join("\n")).unwrap();
        assert!(words.check(&result).is_err());
    }
}
