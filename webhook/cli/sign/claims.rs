//! What is said about the images.

use std::{fs, path::PathBuf};

use crate::sign::{Claim, PredicateType};

use super::super::Failure;

/// What to sign.
#[derive(Debug, clap::Args)]
pub struct ClaimArguments {
    /// Say more than "this is the image": a file with an in-toto predicate
    #[arg(long, value_name = "FILE", requires = "predicate_type")]
    predicate: Option<PathBuf>,
    /// What the predicate is: a URI, or provenance, vulnerabilities, sbom, …
    #[arg(long = "type", value_name = "TYPE", requires = "predicate")]
    predicate_type: Option<PredicateType>,
}

impl ClaimArguments {
    /// What to sign: "this is the image", unless something else was asked for.
    pub fn claim(&self) -> Result<Claim, Failure> {
        let (Some(file), Some(predicate_type)) = (&self.predicate, &self.predicate_type) else {
            return Ok(Claim::SimpleSigning);
        };
        let named = file.display();
        let bytes = fs::read(file)
            .map_err(|error| Failure::failed(format!("cannot read {named}"), error))?;
        let predicate = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::failed(format!("{named} is no JSON"), error))?;
        Ok(Claim::Statement { predicate_type: predicate_type.clone(), predicate })
    }
}
