//! Rebuilds the crate when a migration is added: `sqlx::migrate!` embeds them but cannot say so itself.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
