//! Which images a build made, as the files say that its steps left behind.
//!
//! Build steps run what others wrote, so their files are hostile: each has a cap, each mistake has a
//! place, and what is named counts only where the person who signs allowed the repository. One
//! mistake anywhere, and nothing is signed.

mod chosen;
mod list;
mod metadata;
mod named;
mod outputs;
mod place;
mod tekton;
mod text;

pub use chosen::{ChoiceError, MOST_IMAGES, choose};
pub use list::{list, listed};
pub use metadata::metadata;
pub use named::{BadInput, Named, Wrong};
pub use outputs::outputs;
pub use place::Place;
pub use tekton::{Results, is_hint, results};

/// What a file names, and what in it is no image.
#[derive(Debug, Default)]
pub struct Found {
    /// The images.
    pub images: Vec<Named>,
    /// What was passed over, and why; for people.
    pub skipped: Vec<BadInput>,
}
