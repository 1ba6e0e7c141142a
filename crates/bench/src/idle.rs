//! What `flumen up` takes while nothing happens.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use flumen_e2e::{Flumen, processes::family};

use crate::{
    figures::{Series, Table, Unit},
    process,
};

const QUIET: Duration = Duration::from_mins(1);

/// Memory after a quiet minute, and the CPU time of the next.
pub(crate) fn measure(flumen: &Flumen, table: &mut Table) -> Result<()> {
    thread::sleep(QUIET);
    memory(flumen, table)?;
    let (began, before) = (Instant::now(), spent(flumen)?);
    thread::sleep(QUIET);
    let share = spent(flumen)?.saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64();
    table.alone("CPU of one core, over a minute", Unit::Percent, &Series::of(share * 100.0), "");
    Ok(())
}

/// Memory of all its processes, one by one and together.
pub(crate) fn memory(flumen: &Flumen, table: &mut Table) -> Result<()> {
    let (mut resident, mut proportional) = (0.0, 0.0);
    let family = family(flumen.id());
    for (id, command) in &family {
        let memory = process::memory(*id)?;
        let one = process::mebibytes(memory.resident);
        resident += one;
        proportional += process::mebibytes(memory.proportional);
        let role = command.split(' ').nth(1).unwrap_or_default();
        table.alone(&format!("resident, flumen {role}"), Unit::Mebibytes, &Series::of(one), "");
    }
    let count = family.len();
    let (resident, proportional) = (Series::of(resident), Series::of(proportional));
    table.alone(&format!("resident, all {count}"), Unit::Mebibytes, &resident, "");
    table.alone("the same, what they share counted once", Unit::Mebibytes, &proportional, "60 MB");
    Ok(())
}

fn spent(flumen: &Flumen) -> Result<Duration> {
    family(flumen.id()).iter().map(|(id, _)| process::cpu(*id)).sum()
}
