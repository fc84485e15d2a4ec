//! The notebook images whose packages are known by name.

include!(concat!(env!("OUT_DIR"), "/embedded_images.rs"));

/// The list of packages of an image.
pub(super) fn image(name: &str) -> Option<&'static str> {
    IMAGES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// The names of the images, sorted.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    IMAGES.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Base;

    #[test]
    fn every_image_is_understood_and_says_what_it_is_for() {
        let mut count = 0;
        for name in names() {
            let base = Base::read(image(name).expect("an image"), name).expect("a base");
            assert!(base.packages.len() > 100, "{name}");
            assert!(base.python.is_some() && base.platform.is_some(), "{name}");
            count += 1;
        }
        assert!(count >= 2);
    }
}
