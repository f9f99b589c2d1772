//! One integration binary: the layers, the gate over real HTTP, the commands.

mod admission_images;
mod admission_reviews;
mod layers;
mod live;
mod peer;
