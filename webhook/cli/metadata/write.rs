//! What `put` and `import` share: signing, placing, and telling what was placed.

use std::{process::ExitCode, sync::Arc};

use jiff::{Span, Timestamp};
use serde::Serialize;

use crate::{
    attest::metadata::{LARGEST_VALUE, MediaType, MetadataType},
    name::PinnedImage,
    sign::{MetadataDraft, MetadataWriter, PlacedMetadata, PublishError},
    source::Registries,
};

use super::super::{
    Failure,
    arguments::KeyArguments,
    output::{self, Format},
};

/// How metadata is signed, and for how long.
#[derive(Debug, clap::Args)]
pub struct WriteArguments {
    #[command(flatten)]
    keys: KeyArguments,
    /// Not to count any more from then on: a time such as 2026-12-31T00:00:00Z, or how long from
    /// now, such as 720h; a sign-off must have one
    #[arg(long, value_name = "TIME|DURATION", value_parser = expiry)]
    expires: Option<Timestamp>,
    /// How to print what was placed
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// What was placed beside one image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    image: String,
    digest: String,
    #[serde(rename = "type")]
    kind: String,
    signer: Option<String>,
    published: [Referrer; 1],
}

#[derive(Debug, Serialize)]
struct Referrer {
    kind: &'static str,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    unchanged: bool,
}

/// Places metadata, and tells of each piece.
pub struct Writing {
    writer: MetadataWriter,
    expires: Option<Timestamp>,
    output: Format,
    rows: Vec<Row>,
    failed: bool,
}

impl WriteArguments {
    /// Everything that can be wrong before anything is placed.
    pub fn begin(&self, registries: Arc<Registries>) -> Result<Writing, Failure> {
        let signers = self.keys.load()?;
        if signers.is_empty() {
            output::say("note: without --key it is not signed, and reaches no rule");
        }
        let writer = MetadataWriter::new(registries, signers).map_err(Failure::of)?;
        let (expires, output) = (self.expires, self.output);
        Ok(Writing { writer, expires, output, rows: Vec::new(), failed: false })
    }
}

impl Writing {
    /// Places one value beside one image.
    pub async fn place(
        &mut self,
        image: &PinnedImage,
        kind: MetadataType,
        media_type: MediaType,
        value: bytes::Bytes,
    ) -> Result<(), PublishError> {
        let named = kind.to_string();
        let draft = MetadataDraft { kind, media_type, value, expires: self.expires };
        for placed in self.writer.put(image, &draft, Timestamp::now()).await? {
            self.tell(image, &named, placed);
        }
        Ok(())
    }

    /// Goes on after something that could not be placed.
    pub fn fail(&mut self, what: &str) {
        self.failed = true;
        output::say(&format!("error: {what}"));
    }

    /// Prints what was kept for the end.
    pub fn finish(self) -> Result<ExitCode, Failure> {
        if self.output == Format::Json {
            output::json(&self.rows)?;
        }
        Ok(if self.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn tell(&mut self, image: &PinnedImage, kind: &str, placed: PlacedMetadata) {
        let PlacedMetadata { signer, digest, tag, unchanged } = placed;
        let name = format!("{}@{digest}", image.repository);
        match (self.output, unchanged) {
            (Format::Json, _) => self.rows.push(Row {
                image: image.repository.to_string(),
                digest: image.digest.to_string(),
                kind: kind.to_owned(),
                signer: signer.map(|signer| signer.to_string()),
                published: [Referrer {
                    kind: "referrer",
                    digest: digest.to_string(),
                    tag,
                    unchanged,
                }],
            }),
            (Format::Text, true) => output::say(&format!("unchanged: {name}")),
            (Format::Text, false) => output::data(&name),
        }
    }
}

/// What of a value is known before it is placed.
pub fn media_type(given: Option<&MediaType>, value: &[u8]) -> Result<MediaType, String> {
    if value.len() as u64 > LARGEST_VALUE {
        let size = value.len();
        return Err(format!("a value of {size} bytes, of which at most {LARGEST_VALUE} are kept"));
    }
    let media_type = given.cloned().unwrap_or_else(|| MediaType::detect(value));
    if media_type.is_json()
        && let Err(bad) = crate::attest::parse_json(value, value.len())
    {
        return Err(format!("its media type is {media_type}, and it is {bad}"));
    }
    Ok(media_type)
}

/// A time, or how long from now.
fn expiry(text: &str) -> Result<Timestamp, String> {
    let now = Timestamp::now();
    let then = match text.parse::<Timestamp>() {
        Ok(then) => then,
        Err(_) => text.parse::<Span>().and_then(|span| now.checked_add(span)).map_err(|_| {
            "write a time such as 2026-12-31T00:00:00Z, or hours such as 720h".to_owned()
        })?,
    };
    if then <= now {
        return Err("that is past; it would never count".to_owned());
    }
    Ok(then)
}
