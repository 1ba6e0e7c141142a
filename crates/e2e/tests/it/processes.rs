use std::time::{Duration, Instant};

use flumen_e2e::{Flumen, Remains};

use crate::setup::{binary, up};

#[test]
fn nothing_is_left_five_seconds_after_flumen_up_was_killed() {
    let running = up();
    let data = running.flumen.directory().to_owned();
    let before = Remains::of(&data.join("nowhere"));
    running.flumen.kill().expect("killed");
    let killed = Instant::now();
    loop {
        let left = Remains::of(&data).since(&before);
        if left.is_empty() {
            return;
        }
        assert!(killed.elapsed() < Duration::from_secs(5), "left behind: {left:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_second_flumen_up_in_one_directory_is_refused_and_harms_nothing() {
    let running = up();
    let error = Flumen::up(&binary(), running.flumen.directory()).map(drop);
    // The first one answers in this directory, so the second looks ready until it is seen to have ended.
    drop(error);
    running.flumen.succeed(&["job", "list"]).expect("the first one still answers");
}
