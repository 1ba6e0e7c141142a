use super::table::Bits;

/// The type of an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Any text.
    Text,
    /// `true` or `false` in any case.
    Boolean,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A number of single precision.
    Float,
    /// A number of double precision.
    Double,
    /// A span of time such as `10 s`.
    Duration,
    /// A number of bytes such as `64 mb`.
    Size,
    /// One of some words, in any case.
    Enum,
    /// A list of texts.
    List,
    /// A list of some words.
    Enums,
    /// A map of texts.
    Map,
    /// A list of maps of texts.
    Maps,
}

impl ValueType {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "string" => Self::Text,
            "boolean" => Self::Boolean,
            "int" => Self::Integer,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "duration" => Self::Duration,
            "size" => Self::Size,
            "enum" => Self::Enum,
            "list" => Self::List,
            "enums" => Self::Enums,
            "map" => Self::Map,
            "maps" => Self::Maps,
            _ => return None,
        })
    }
}

/// The facts about one option in one or more minors.
#[derive(Debug, PartialEq)]
pub struct FlinkOption {
    /// The key; in a pattern `<name>` stands for one or more characters.
    pub key: &'static str,
    /// The type of the value.
    pub value_type: ValueType,
    /// The default as text, if the option has one.
    pub default: Option<&'static str>,
    /// The default in milliseconds (durations) or bytes (sizes).
    pub default_exact: Option<u64>,
    /// Keys that Flink reads, without a warning, if the option's own is not set; in order.
    pub fallback_keys: Vec<&'static str>,
    /// Keys that Flink reads after those, with a warning; in order.
    pub deprecated_keys: Vec<&'static str>,
    /// The words that are allowed, if the type is an enumeration.
    pub words: Vec<&'static str>,
    /// Flink's own code no longer uses the option's constant without a warning.
    pub deprecated: bool,
    /// Not meant for users.
    pub internal: bool,
    /// The default is computed when Flink runs, or documented in other words.
    pub default_is_computed: bool,
    pub(super) minors: Bits,
}

impl FlinkOption {
    /// The keys from which Flink reads the option, in order: its own, the fallbacks, the deprecated.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.key).chain(self.aliases())
    }

    /// The keys besides its own from which Flink reads the option, in order.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> {
        self.fallback_keys.iter().chain(&self.deprecated_keys).copied()
    }

    /// Whether the key is a pattern.
    pub fn is_pattern(&self) -> bool {
        self.key.contains(PLACEHOLDER)
    }

    pub(super) fn is_in(&self, bit: Bits) -> bool {
        self.minors & bit != 0
    }

    /// Whether `key` is one of the keys of the pattern.
    pub(super) fn fits(&self, key: &str) -> bool {
        let mut parts = self.key.split(PLACEHOLDER);
        let Some(mut rest) = parts.next().and_then(|head| key.strip_prefix(head)) else {
            return false;
        };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            match rest.get(1..).and_then(|rest| rest.split_once(part)) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.strip_suffix(last).is_some_and(|name| !name.is_empty())
    }
}

const PLACEHOLDER: &str = "<name>";
