//! Files that an operator names, read whole.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

/// The contents of a file of at most `most` bytes. A pipe or a device, which may have no end or
/// never begin, is no file.
///
/// # Errors
/// As the system tells them, or [`io::ErrorKind::FileTooLarge`].
pub fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    check_file(path)?;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let what = format!("larger than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// Whether there is a file that can be opened.
///
/// # Errors
/// As the system tells them.
pub fn open_file(path: &Path) -> io::Result<()> {
    check_file(path)?;
    fs::File::open(path).map(drop)
}

fn check_file(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p8_what_has_no_end_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "12345").unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        let read = |name: &str, most| {
            let outcome = read_file(&at(name), most);
            let opened = open_file(&at(name));
            assert_eq!(opened.is_ok(), outcome.is_ok() || most < 5, "{name}");
            outcome.map_or_else(|error| error.to_string(), |bytes| format!("{} bytes", bytes.len()))
        };
        for (name, most, want) in [
            ("file", 5, "5 bytes"),
            ("file", 4, "larger than 4 bytes"),
            ("gone", 5, "No such file or directory (os error 2)"),
            (".", 5, "it is a folder"),
            ("pipe", 5, "it is no regular file"),
            ("/dev/zero", 5, "it is no regular file"),
        ] {
            assert_eq!(read(name, most), want, "{name}");
        }
    }
}
