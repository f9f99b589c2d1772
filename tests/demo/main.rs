//! `cargo demo`: the five-minute tour, on a machine with nothing but this project.
//!
//! A registry and a store start in process; keys, store, signer and webhook are the real commands.
//! Every step shows what the API server would be told, and the tour fails if that is not what the
//! README promises.

#![allow(clippy::indexing_slicing, reason = "JSON that is not there indexes to null")]

mod stage;
mod webhook;

use std::{
    io::{self, IsTerminal as _, Write},
    process::ExitCode,
};

use countersign_kit::{Key, Revocation, image};
use stage::{REPOSITORY, Stage};
use webhook::Verdict;

#[tokio::main]
async fn main() -> ExitCode {
    // The webhook's own log would drown the tour.
    tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).init();
    let mut tour = Tour { step: 0 };
    match tour.walk().await {
        Ok(stage) if io::stdin().is_terminal() && io::stdout().is_terminal() => {
            tour.stay(&stage).await;
            ExitCode::SUCCESS
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(surprise) => {
            say(&format!("\nthe tour ends here: {surprise}"));
            ExitCode::FAILURE
        }
    }
}

struct Tour {
    step: usize,
}

impl Tour {
    async fn walk(&mut self) -> Result<Stage, String> {
        say("Countersign: nothing runs in the cluster that the pipeline did not countersign.\n");
        let stage = Stage::set().await?;
        say(&format!(
            "a registry listens on {}, a Grafeas store on {}, and",
            stage.host(),
            stage.store
        ));
        say(&format!("`countersign serve` on {} (TLS)", stage.webhook.url()));

        let shop = stage.registry.put_image(REPOSITORY, "1.4", &image("shop 1.4").build());
        let by_tag = stage.image(":1.4");
        let by_digest = stage.image(&format!("@{shop}"));

        self.head("A Pod of an image that nobody signed");
        stage.asks(&by_tag).await?.must_be_denied("attested.missing")?;

        self.head("The pipeline signs it");
        stage.sign("builder", &by_digest).await?;

        self.head("The same Pod again: admitted, and pinned to what was signed");
        let admitted = stage.asks(&by_tag).await?;
        admitted.must_be_allowed()?;
        let pinned = admitted.pinned().ok_or("the image was not pinned")?;
        if pinned != format!("{by_tag}@{shop}") {
            return Err(format!("it was pinned to {pinned}"));
        }
        stage.validates(&pinned).await?.must_be_allowed()?;

        self.head("Somebody moves the tag to another image");
        let evil = stage.registry.put_image(REPOSITORY, "1.4", &image("shop, tampered").build());
        stage.asks(&by_tag).await?.must_be_denied("attested.missing")?;

        self.head("… and signs that with a key of their own");
        stage.keys("mallory").await?;
        stage.sign("mallory", &stage.image(&format!("@{evil}"))).await?;
        stage.asks(&by_tag).await?.must_be_denied("signature.unknown-key")?;

        self.head("What was pinned before is what runs, wherever the tag points");
        stage.validates(&pinned).await?.must_be_allowed()?;

        self.head("The builder's key is revoked: what it signed no longer counts");
        let secret = std::fs::read(stage.path("builder.key")).map_err(|error| error.to_string())?;
        let revoked = Key::import(&secret).revoked(Revocation::Compromised);
        stage.exchange("builder.asc", &revoked.certificate_armored()).await?;
        stage.validates(&pinned).await?.must_be_denied("key.revoked")?;

        self.head("The key's file is put back as it was");
        let certificate = Key::import(&secret).certificate_armored();
        stage.exchange("builder.asc", &certificate).await?;
        stage.validates(&pinned).await?.must_be_allowed()?;
        say("\nThat was the tour.");
        Ok(stage)
    }

    fn head(&mut self, title: &str) {
        self.step += 1;
        say(&format!("\n{}. {title}", self.step));
    }

    /// Leaves everything running for a person to try.
    async fn stay(&self, stage: &Stage) {
        say("Everything stays up until you press Ctrl-C. To ask the webhook yourself:\n");
        say(&format!(
            "  curl --cacert {ca} -H 'content-type: application/json' \\\n    \
             --data @{review} '{url}/validate?timeout=10s'",
            ca = stage.path("ca.crt").display(),
            review = stage.path("review.json").display(),
            url = stage.webhook.url(),
        ));
        say(&format!(
            "  countersign verify {} --config {}",
            stage.image(":1.4"),
            stage.path("countersign.yaml").display()
        ));
        say(&format!("  curl {}/v1beta1/projects/demo/occurrences", stage.store));
        say(&format!("  curl {}/metrics", stage.webhook.probes()));
        let _interrupted = tokio::signal::ctrl_c().await;
    }
}

impl Verdict {
    fn must_be_allowed(&self) -> Result<(), String> {
        self.print();
        if self.allowed { Ok(()) } else { Err("it should have been admitted".into()) }
    }

    fn must_be_denied(&self, code: &str) -> Result<(), String> {
        self.print();
        match self.allowed {
            true => Err("it should have been denied".into()),
            false if !self.message.contains(code) => Err(format!("it should say {code}")),
            false => Ok(()),
        }
    }

    fn print(&self) {
        let what = &self.asked;
        if self.allowed {
            say(&format!("   {what}: admitted"));
        } else {
            say(&format!("   {what}: denied"));
            self.message.lines().for_each(|line| say(&format!("     {line}")));
        }
        if let Some(pinned) = self.pinned() {
            say(&format!("     pinned: {pinned}"));
        }
    }
}

/// One line of the tour. A reader that went away ends the output, not the tour.
fn say(line: &str) {
    let _closed = writeln!(io::stdout(), "{line}");
}
