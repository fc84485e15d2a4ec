//! Locks: made from solutions, written, read again, compared.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot build its world should stop"
)]

mod arbitrary;
mod compare;
mod hashes;
mod hostile;
mod like_pip_compile;
mod pylock;
mod requirements;
mod sample;
mod solution;

/// Compares with the approved text of that name.
fn approve(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "../../snapshots/approved/lock",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text);
    });
}
