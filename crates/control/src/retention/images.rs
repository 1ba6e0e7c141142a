use flumen_image::{Reference, SBOM_MEDIA_TYPE, SBOM_TITLE};
use flumen_model::Kind;
use flumen_store::{RemovalKind, UnusedImage};

use super::{Fate, Round};
use crate::Error;

/// Removes images that nothing needs from their registries, where these delete.
pub(super) async fn remove(round: &mut Round<'_>) -> Result<(), Error> {
    for image in round.control.store().unused_images(round.team).await? {
        let name = format!("{}/{}", image.registry, image.image);
        let fate = match round.until(image.since) {
            Some(until) => Fate::Kept { until: Some(until), reason: image.refusal.clone() },
            None if round.dry_run => Fate::Due,
            None => match take(round, &image, &name).await? {
                Some(fate) => fate,
                None => continue,
            },
        };
        round.add(RemovalKind::Image, name, image.bytes, fate);
    }
    Ok(())
}

/// What became of the image; nothing if it is needed again.
async fn take(round: &Round<'_>, image: &UnusedImage, name: &str) -> Result<Option<Fate>, Error> {
    let control = round.control;
    // Nobody waits for this: an image that is being built may be the same one.
    let Ok(_alone) = control.keeping().images.try_write() else {
        let reason = Some("images are being built; it is looked at again later".to_owned());
        return Ok(Some(Fate::Kept { until: None, reason }));
    };
    let store = control.store();
    if !store.begin_image_removal(&image.key, round.cutoff()).await? {
        return Ok(None);
    }
    let Ok(reference) = name.parse::<Reference>() else {
        let reason = format!("{name} is no reference that this version of Flumen can read");
        store.refuse_image_removal(&image.key, &reason).await?;
        return Ok(Some(Fate::Kept { until: None, reason: Some(reason) }));
    };
    let no_answer = || flumen_image::Error::Interrupted { step: "deleting an image" };
    let deleted = async {
        let client = control.registries().client(reference.registry()).await?;
        // What is about it goes first: it is found by the image, and by nothing when that is known no more.
        let document = (SBOM_MEDIA_TYPE, SBOM_TITLE);
        let detaching = Box::pin(client.detach(&reference, document));
        control.faults().around("image.detach", detaching, no_answer).await?;
        let deleting = client.delete_manifest(&reference);
        control.faults().around("image.delete", deleting, no_answer).await
    };
    let error = match deleted.await {
        Ok(()) => None,
        Err(error) if error.kind() == Kind::NotFound => None,
        Err(error) => Some(error),
    };
    let Some(error) = error else {
        let removal = round.removal((RemovalKind::Image, image.team), name, image.bytes);
        store.end_image_removal(&image.key, &removal).await?;
        return Ok(Some(Fate::Removed));
    };
    let refused = matches!(error.kind(), Kind::Denied | Kind::Invalid);
    let reason = Error::from(error).paragraph();
    if refused {
        store.refuse_image_removal(&image.key, &reason).await?;
    }
    Ok(Some(Fate::Kept { until: None, reason: Some(reason) }))
}
