//! Files that a command line names, and stdin, read whole and within bounds.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The contents of a file of at most `most` bytes. It may be a pipe; `-` is stdin.
///
/// # Errors
/// As the system tells them, or [`io::ErrorKind::FileTooLarge`]: what is left out would not be
/// looked at.
pub fn read(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    if file.as_os_str() == "-" { all(io::stdin(), most) } else { all(File::open(file)?, most) }
}

/// The same as text.
///
/// # Errors
/// Also [`io::ErrorKind::InvalidData`], where it is not UTF-8.
pub fn read_text(file: &Path, most: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
    String::from_utf8(read(file, most)?).map_err(not_text)
}

fn all(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let what = format!("it has more than {most} bytes, the most that is read; give less");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p8_what_is_too_long_is_refused_not_cut() {
        for (name, text, want) in [
            ("nothing", "", Ok("")),
            ("the most", "1234", Ok("1234")),
            (
                "one more",
                "12345",
                Err("it has more than 4 bytes, the most that is read; give less"),
            ),
        ] {
            let read = all(text.as_bytes(), 4).map_err(|error| error.to_string());
            assert_eq!(read, want.map(Vec::from).map_err(str::to_owned), "{name}");
        }
        let endless = read(Path::new("/dev/zero"), 4).unwrap_err();
        assert_eq!(endless.kind(), io::ErrorKind::FileTooLarge);
    }
}
