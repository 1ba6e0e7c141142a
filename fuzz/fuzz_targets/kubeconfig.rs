//! A kubeconfig: refused in words, or one context of it that is taken again just as it was stored.
#![no_main]

use flumen_cluster::{Chosen, Kubeconfig};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fn chosen(text: &str) -> Option<Chosen> {
    match Kubeconfig::parse("of a fuzzer", text).and_then(|all| all.choose(None)) {
        Ok(chosen) => Some(chosen),
        Err(error) => {
            drop((error.to_string(), error.hint()));
            None
        }
    }
}

fuzz_target!(|text: &str| {
    let now = Timestamp::UNIX_EPOCH;
    let Some(mut first) = chosen(text) else { return };
    for named in first.files() {
        drop(first.inline(named.field, named.path.as_bytes()));
    }
    match first.portable(now) {
        Ok(portable) => {
            let again = chosen(portable.text.expose()).expect("what is stored is a kubeconfig");
            assert!(again.files().is_empty());
            let again = again.portable(now).expect("what is stored can be used");
            assert!(again.text == portable.text);
            assert_eq!((again.access, again.command), (portable.access, portable.command));
        }
        Err(error) => drop((error.to_string(), error.hint())),
    }
});
