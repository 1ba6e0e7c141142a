use super::{Catalogue, FlinkOption};

impl Catalogue {
    /// The option for which this alias is another name: the only one that is read from it, or the one
    /// from whose own key all others that are read from it are read too. None if the alias is itself
    /// an option's key.
    pub fn principal(self, alias: &str) -> Option<&'static FlinkOption> {
        if self.option(alias).is_some() {
            return None;
        }
        let readers: Vec<&'static FlinkOption> = self.readers(alias).collect();
        let speaks_for_all = |candidate: &&&'static FlinkOption| {
            readers.iter().all(|other| other.keys().any(|key| key == candidate.key))
        };
        readers.iter().find(speaks_for_all).copied()
    }

    /// The key under which this minor knows what `key` says: the option's own for an alias, else the
    /// key itself.
    pub fn canonical(self, key: &str) -> &str {
        self.principal(key).map_or(key, |option| option.key)
    }
}
