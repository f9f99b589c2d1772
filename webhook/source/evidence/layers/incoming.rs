//! A blob on its way in, as a reader for a thread of its own.

use std::io::{self, BufRead, Read};

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc::Receiver;

/// Reads what another task sends, piece by piece. It ends where the sender does, also where that
/// has failed: the sender knows.
pub struct Incoming {
    pieces: Receiver<Bytes>,
    piece: Bytes,
}

impl Incoming {
    /// What comes through this channel.
    pub fn new(pieces: Receiver<Bytes>) -> Self {
        Self { pieces, piece: Bytes::new() }
    }
}

impl BufRead for Incoming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.is_empty() {
            let Some(next) = self.pieces.blocking_recv() else { break };
            self.piece = next;
        }
        Ok(&self.piece)
    }

    fn consume(&mut self, count: usize) {
        self.piece.advance(count.min(self.piece.len()));
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
