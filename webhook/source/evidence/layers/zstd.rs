//! Zstandard, as layers come in it: many frames, and some to be skipped (RFC 8878, 3.1).
//!
//! eStargz and zstd:chunked keep their tables in frames that are skipped, and each file in a frame of
//! its own.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

/// The content of all frames in a row.
pub struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    begun: bool,
}

/// A frame that asks for more memory than is given.
#[derive(Debug, thiserror::Error)]
#[error("a frame has a window of more than {LARGEST_WINDOW} bytes")]
pub struct LargeWindow;

impl<R: BufRead> Frames<R> {
    /// The frames in `source`, up to its end.
    pub fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(LARGEST_WINDOW);
        Self { source, decoder, begun: false }
    }

    /// Begins the next frame with content, if there is one.
    fn advance(&mut self) -> io::Result<bool> {
        while !self.begun || !self.source.fill_buf()?.is_empty() {
            self.begun = true;
            match self.decoder.init(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = (&mut self.source).take(length.into());
                    if io::copy(&mut skipped, &mut io::sink())? < length.into() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(FrameDecoderError::WindowSizeTooBig { .. }) => {
                    return Err(io::Error::other(LargeWindow));
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, one).map_err(io::Error::other)?;
            } else if !self.advance()? {
                return Ok(0);
            }
        }
        self.decoder.read(buffer)
    }
}

/// What the encoders of container tools use at their best, four times over.
pub const LARGEST_WINDOW: u64 = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn frame(content: &[u8]) -> Vec<u8> {
        compress_to_vec(content, CompressionLevel::Fastest)
    }

    /// A frame that every decoder skips.
    fn skipped(said: u32, content: &[u8]) -> Vec<u8> {
        [&0x184D_2A50_u32.to_le_bytes()[..], &said.to_le_bytes(), content].concat()
    }

    /// A frame whose window is 2 to the power of `log`, with one raw block, the last.
    fn windowed(log: u8, content: &[u8]) -> Vec<u8> {
        let header = u32::try_from(content.len()).unwrap() << 3 | 1;
        let mut frame = 0xFD2F_B528_u32.to_le_bytes().to_vec();
        frame.extend([0, (log - 10) << 3]);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(content);
        frame
    }

    #[test]
    fn all_frames_are_read_and_nothing_else_is_let_pass() {
        let (one, two) = (frame(b"one"), frame(b"two"));
        for (name, bytes, want) in [
            ("one", one.clone(), Ok("one")),
            ("two", [&one[..], &two].concat(), Ok("onetwo")),
            ("skipped between", [&one[..], &skipped(4, b"toc."), &two].concat(), Ok("onetwo")),
            (
                "skipped first and last",
                [skipped(0, b""), one.clone(), skipped(3, b"end")].concat(),
                Ok("one"),
            ),
            ("nothing but skipped", skipped(3, b"end"), Ok("")),
            ("empty content", frame(b""), Ok("")),
            ("the largest window", windowed(25, b"far"), Ok("far")),
            (
                "a window too large",
                windowed(26, b"far"),
                Err("a window of more than 33554432 bytes"),
            ),
            ("nothing", Vec::new(), Err("")),
            ("cut in a frame", one[..one.len() - 1].to_vec(), Err("")),
            ("cut in a skipped frame", [&one[..], &skipped(4, b"toc")].concat(), Err("")),
            ("garbage after", [&one[..], b"garbage"].concat(), Err("")),
            ("gzip", b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), Err("")),
        ] {
            let mut read = String::new();
            let outcome = Frames::new(bytes.as_slice()).read_to_string(&mut read);
            match (outcome, want) {
                (Ok(_), Ok(want)) => assert_eq!(read, want, "{name}"),
                (Err(error), Err(want)) => {
                    assert!(error.to_string().contains(want), "{name}: {error}");
                }
                (got, _) => panic!("{name}: {got:?} {read:?}"),
            }
        }
    }
}
