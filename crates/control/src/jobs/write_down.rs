use flumen_model::JobId;
use flumen_store::NewJob;

use crate::{Control, Error};

impl Control {
    /// Writes down a job as it shall be, and has the controller look at it however that ends: the answer of
    /// the database may be lost, and whoever asked may have gone, when it is written.
    pub(crate) async fn write_down(&self, new: &NewJob<'_>) -> Result<(), Error> {
        let _waking = Waking { control: self, job: new.job.id };
        Ok(self.store().update_job(new).await?)
    }

    /// [`Control::write_down`] of a job that is new.
    pub(crate) async fn write_down_new(&self, new: &NewJob<'_>) -> Result<(), Error> {
        let _waking = Waking { control: self, job: new.job.id };
        Ok(self.store().create_job(new).await?)
    }
}

/// Wakes the job when it is dropped, and whoever prepares a release, in the place of which this may be.
struct Waking<'a> {
    control: &'a Control,
    job: JobId,
}

impl Drop for Waking<'_> {
    fn drop(&mut self) {
        self.control.wakes().wake(self.job);
        self.control.preparations().look();
    }
}
