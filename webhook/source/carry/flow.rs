//! The bytes of blobs on their way, whatever they come from.

use std::{io::Read as _, sync::Arc};

use bytes::Bytes;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::sync::mpsc::{self, Sender};

use super::{CarryError, layout::LayoutOrigin};
use crate::{
    attest::oci::Descriptor,
    source::{BlobStream, layout::LayoutError},
};

/// The bytes of one blob, whose last piece only comes once all are proven to be the ones meant.
pub(super) type Pieces = BoxStream<'static, Result<Bytes, CarryError>>;

pub(super) fn of_bytes(bytes: Bytes) -> Pieces {
    stream::iter([Ok(bytes)]).boxed()
}

pub(super) fn of_registry(blob: BlobStream) -> Pieces {
    stream::try_unfold(blob, async |mut blob| Ok(blob.next().await?.map(|piece| (piece, blob))))
        .boxed()
}

pub(super) fn of_layout(origin: Arc<LayoutOrigin>, descriptor: Descriptor) -> Pieces {
    let (sender, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = pump(&origin, &descriptor, &sender) {
            // Whoever went away does not ask.
            let _gone = sender.blocking_send(Err(error.into()));
        }
    });
    stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver))).boxed()
}

/// Sends what a layout has, each piece once the one after it was read: the end proves the whole.
fn pump(
    origin: &LayoutOrigin,
    descriptor: &Descriptor,
    sender: &Sender<Result<Bytes, CarryError>>,
) -> Result<(), LayoutError> {
    let mut blob = origin.layout().reader(descriptor)?;
    let mut held = Bytes::new();
    loop {
        let mut buffer = vec![0; PIECE];
        let read = blob.read(&mut buffer).map_err(|error| origin.layout().unread(error))?;
        buffer.truncate(read);
        let held = std::mem::replace(&mut held, buffer.into());
        let sent = held.is_empty() || sender.blocking_send(Ok(held)).is_ok();
        if read == 0 || !sent {
            return Ok(());
        }
    }
}

const PIECE: usize = 256 * 1024;
