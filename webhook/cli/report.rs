//! What a run says while it goes on, and how it ends.

use std::process::ExitCode;

use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::sign::{Entry, Publication, Publisher, Receipt, Stop};

use super::{
    Failure,
    output::{self, Format},
    signals,
};

/// Prints receipts as they come: data on stdout, what went wrong on stderr.
pub struct Report {
    format: Format,
    progress: ProgressBar,
    receipts: Vec<Receipt>,
    images: usize,
    finished: usize,
    failed: usize,
}

impl Report {
    /// Of a run over so many images. A bar appears for several, and on a terminal only.
    pub fn new(format: Format, images: usize) -> Self {
        let progress = if images > 1 {
            ProgressBar::new(images as u64).with_style(style())
        } else {
            ProgressBar::hidden()
        };
        Self { format, progress, receipts: Vec::new(), images, finished: 0, failed: 0 }
    }

    /// Runs it to its end, or until somebody asks to stop; a second time ends it at once.
    pub async fn of(
        mut self,
        publisher: &Publisher,
        entries: &[Entry],
    ) -> Result<ExitCode, Failure> {
        let stop = Stop::default();
        let run = publisher.run(entries, &stop);
        tokio::pin!(run);
        let mut asked = std::pin::pin!(signals::shutdown());
        loop {
            tokio::select! {
                done = run.next() => match done {
                    Some(receipts) => self.take(receipts),
                    None => break,
                },
                () = &mut asked => {
                    if stop.is_stopped() {
                        break;
                    }
                    stop.stop();
                    self.say("stopping: what is under way is finished, nothing new is begun");
                    asked.set(signals::shutdown());
                }
            }
        }
        self.end(&stop)
    }

    fn take(&mut self, receipts: Option<Vec<Receipt>>) {
        self.progress.inc(1);
        let Some(receipts) = receipts else { return };
        self.finished += 1;
        for receipt in receipts {
            self.progress.suspend(|| print(&receipt, self.format));
            self.failed += usize::from(receipt.error.is_some());
            if self.format == Format::Json {
                self.receipts.push(receipt);
            }
        }
    }

    fn end(self, stop: &Stop) -> Result<ExitCode, Failure> {
        self.progress.finish_and_clear();
        if self.format == Format::Json {
            output::json(&self.receipts)?;
        }
        let left = self.images - self.finished;
        if self.failed > 0 {
            output::say(&format!(
                "error: {} not published, as said above; run it again to complete it",
                self.failed
            ));
        }
        if stop.is_stopped() {
            if left > 0 {
                output::say(&format!(
                    "interrupted: {left} of {} images not finished; run it again to complete it",
                    self.images
                ));
            }
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Ok(if self.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn say(&self, line: &str) {
        self.progress.suspend(|| output::say(line));
    }
}

fn print(receipt: &Receipt, format: Format) {
    for publication in &receipt.published {
        let (name, unchanged) = match publication {
            Publication::Occurrence { name, unchanged, .. } => (name.clone(), *unchanged),
            Publication::Referrer { digest, unchanged, .. } => {
                (format!("{}@{digest}", receipt.image), *unchanged)
            }
            Publication::File { path, unchanged } => (path.clone(), *unchanged),
        };
        if unchanged {
            output::say(&format!("unchanged: {name}"));
        } else if format == Format::Text {
            output::data(&name);
        }
    }
    if let Some(error) = &receipt.error {
        let what = match (&receipt.signer, receipt.record) {
            (Some(signer), _) => format!("is not attested by {signer}"),
            (None, Some(kind)) => format!("has no {} record", kind.name()),
            (None, None) => "is not published".to_owned(),
        };
        let text = output::with_causes(
            format!("error: {}@{} {what}", receipt.image, receipt.digest),
            Some(error),
        );
        output::say(&text);
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:32} {pos}/{len} images, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// As shells report a program that SIGINT ended.
const INTERRUPTED: u8 = 130;
