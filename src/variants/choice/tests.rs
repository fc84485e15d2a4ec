//! The order of labels, tie rule by tie rule, and the reasons against those that do not suit.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot make its target fails"
)]

use super::*;
use crate::Target;
use crate::target::Accelerator;
use crate::variants::DriverCuda;

const SCHEMA: &str = "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json";

/// A document with providers for these namespaces that list what everybody supports.
fn listed(namespaces: &str, providers: &str, variants: &str) -> VariantsJson {
    let text = format!(
        r#"{{"$schema": "{SCHEMA}", "default-priorities": {{"namespace": {namespaces}}},
            "providers": {providers}, "variants": {variants}}}"#
    );
    VariantsJson::parse(text.as_bytes()).unwrap()
}

fn target(options: &[(&str, &str)]) -> Target {
    let words = options
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let mut target = Target::declared("3.11", "linux").unwrap();
    target.accelerator = Accelerator::from_words(&words).unwrap();
    target
}

fn judged(document: &VariantsJson, target: &Target, cuda: Option<DriverCuda>) -> Judged {
    let support = Support::of(document, target, cuda);
    let mut labels: BTreeSet<&str> = document.variants.keys().map(String::as_str).collect();
    labels.insert(NULL);
    judge(document, &labels, &support)
}

/// The labels that suit, the best first.
fn order(document: &VariantsJson) -> Vec<String> {
    let judged = judged(document, &target(&[]), None);
    judged
        .suitable
        .into_iter()
        .map(|suitable| suitable.label)
        .collect()
}

const PROVIDERS: &str = r#"{
    "first": {"static-properties": {"f": ["best", "good"], "g": ["on"]}, "feature-order": ["g", "f"]},
    "second": {"static-properties": {"h": ["1", "2", "3"]}}}"#;

fn ordered(variants: &str) -> Vec<String> {
    order(&listed(r#"["first", "second"]"#, PROVIDERS, variants))
}

#[test]
fn the_earlier_namespace_comes_first() {
    let variants = r#"{"a": {"second": {"h": ["1"]}}, "b": {"first": {"f": ["good"]}}}"#;
    assert_eq!(ordered(variants), ["b", "a", "null"]);
}

#[test]
fn within_a_namespace_the_earlier_feature_comes_first() {
    let variants = r#"{"a": {"first": {"f": ["best"]}}, "b": {"first": {"g": ["on"]}}}"#;
    assert_eq!(ordered(variants), ["b", "a", "null"]);
}

#[test]
fn within_a_feature_the_best_value_that_is_listed_counts() {
    let variants = r#"{
        "a": {"first": {"f": ["good"]}},
        "b": {"first": {"f": ["good", "best"]}},
        "c": {"second": {"h": ["3", "2"]}},
        "d": {"second": {"h": ["9", "1"]}}}"#;
    assert_eq!(ordered(variants), ["b", "a", "d", "c", "null"]);
}

#[test]
fn later_places_count_where_the_first_are_equal() {
    let variants = r#"{
        "a": {"first": {"g": ["on"]}, "second": {"h": ["2"]}},
        "b": {"first": {"g": ["on"]}, "second": {"h": ["1"]}},
        "c": {"first": {"g": ["on"], "f": ["good"]}}}"#;
    assert_eq!(ordered(variants), ["c", "b", "a", "null"]);
}

#[test]
fn more_properties_come_before_their_beginning() {
    let variants = r#"{
        "a": {"first": {"g": ["on"]}},
        "b": {"first": {"g": ["on"]}, "second": {"h": ["3"]}}}"#;
    assert_eq!(ordered(variants), ["b", "a", "null"]);
}

#[test]
fn equal_ones_come_by_their_labels_and_the_null_variant_last() {
    let variants = r#"{
        "z": {"second": {"h": ["1"]}},
        "b": {"second": {"h": ["1", "2"]}},
        "zero": {},
        "null": {}}"#;
    assert_eq!(ordered(variants), ["b", "z", "zero", "null"]);
}

#[test]
fn early_drafts_may_put_features_and_values_first() {
    let text = r#"{"$schema": "https://variants-schema.wheelnext.dev/v0.0.3.json",
        "default-priorities": {"namespace": ["first", "second"],
            "feature": {"first": ["f"]}, "property": {"second": {"h": ["3"]}}},
        "providers": {
            "first": {"static-properties": {"f": ["x"], "g": ["on"]}, "feature-order": ["g", "f"]},
            "second": {"static-properties": {"h": ["1", "2", "3"]}}},
        "variants": {
            "a": {"first": {"g": ["on"]}}, "b": {"first": {"f": ["x"]}},
            "c": {"second": {"h": ["1"]}}, "d": {"second": {"h": ["3", "1"]}}}}"#;
    let document = VariantsJson::parse(text.as_bytes()).unwrap();
    assert_eq!(order(&document), ["b", "a", "d", "c", "null"]);
}

const CUDA: &str = r#"{
    "cu126": {"nvidia": {"cuda_version_lower_bound": ["12.6"]}},
    "cu128": {"nvidia": {"cuda_version_lower_bound": ["12.8"], "sm_arch": ["80_real", "90_real", "120_virtual"]}},
    "cu12": {"nvidia": {"cuda_version_lower_bound": ["12"], "cuda_version_upper_bound": ["13"]}},
    "null": {}}"#;

fn cuda() -> VariantsJson {
    listed(
        r#"["nvidia"]"#,
        r#"{"nvidia": {"requires": ["nvidia-variant-provider>=0.0.1"]}}"#,
        CUDA,
    )
}

fn with_cuda(major: u64, minor: u64, options: &[(&str, &str)]) -> Judged {
    judged(
        &cuda(),
        &target(options),
        Some(DriverCuda::exactly(major, minor)),
    )
}

fn labels(judged: &Judged) -> Vec<&str> {
    judged
        .suitable
        .iter()
        .map(|suitable| suitable.label.as_str())
        .collect()
}

#[test]
fn the_driver_and_the_gpu_decide_among_builds_for_cuda() {
    let found = with_cuda(12, 8, &[("gpu", "sm_90")]);
    assert_eq!(labels(&found), ["cu128", "cu126", "cu12", "null"]);
    let properties: Vec<String> = found.suitable[0]
        .properties
        .iter()
        .map(ToString::to_string)
        .collect();
    // Only what the target supports is told to markers.
    assert_eq!(
        properties,
        [
            "nvidia :: cuda_version_lower_bound :: 12.8",
            "nvidia :: sm_arch :: 90_real"
        ]
    );
    let found = with_cuda(12, 7, &[("gpu", "sm_90")]);
    assert_eq!(labels(&found), ["cu126", "cu12", "null"]);
    assert_eq!(
        found.refused,
        [(
            "cu128".to_owned(),
            "needs nvidia :: cuda_version_lower_bound :: 12.8, and the target's driver is for \
             CUDA 12.7, and its GPU is sm_90"
                .to_owned()
        )]
    );
    // A driver of the next major is above the upper bound, and runs what has none.
    assert_eq!(labels(&with_cuda(13, 0, &[])), ["cu126", "null"]);
    assert_eq!(labels(&with_cuda(11, 8, &[])), ["null"]);
}

#[test]
fn code_for_a_gpu_runs_on_its_own_major_only() {
    for (gpu, suits) in [
        ("sm_80", true),
        ("sm_86", true),
        ("sm_75", false),
        ("sm_100", false),
        ("sm_120", true),
        ("sm_121", true),
    ] {
        let found = with_cuda(12, 9, &[("gpu", gpu)]);
        assert_eq!(labels(&found).contains(&"cu128"), suits, "{gpu}");
    }
    let found = with_cuda(12, 9, &[("gpu", "sm_80,sm_90")]);
    assert_eq!(labels(&found)[0], "cu128");
    // Each of the GPUs must run it.
    let found = with_cuda(12, 9, &[("gpu", "sm_75,sm_90")]);
    assert_eq!(labels(&found)[0], "cu126");
}

#[test]
fn without_a_driver_nothing_for_cuda_suits() {
    let found = judged(&cuda(), &target(&[]), None);
    assert_eq!(labels(&found), ["null"]);
    assert!(
        found.refused[0]
            .1
            .ends_with("and no driver of NVIDIA's is stated of the target"),
        "{:?}",
        found.refused
    );
}

#[test]
fn a_provider_that_is_not_known_suits_nothing_and_is_named() {
    for (provider, part) in [
        (
            r#"{"requires": ["rocm-variant-provider"]}"#,
            "the provider `rocm-variant-provider` of `rocm` is not known here",
        ),
        (
            r#"{"requires": ["nvidia-variant-provider"], "optional": true}"#,
            "`rocm` is optional, and nothing states it",
        ),
        (
            r#"{"builtin": "abi-dependency"}"#,
            "the provider `abi-dependency` of `rocm` is not known here",
        ),
        ("{}", "`rocm` has no provider that is known here"),
    ] {
        let document = listed(
            r#"["rocm"]"#,
            &format!(r#"{{"rocm": {provider}}}"#),
            r#"{"gfx": {"rocm": {"gfx_arch": ["gfx1100"]}}}"#,
        );
        let found = judged(&document, &target(&[]), Some(DriverCuda::exactly(12, 8)));
        assert_eq!(labels(&found), ["null"]);
        assert!(found.refused[0].1.contains(part), "{:?}", found.refused);
        // What the user states counts, whoever provides it.
        let stated = target(&[("wheel-variants", "rocm::gfx_arch::gfx1100")]);
        assert_eq!(labels(&judged(&document, &stated, None)), ["gfx", "null"]);
    }
}

#[test]
fn processors_are_taken_to_be_the_oldest_unless_stated() {
    let document = listed(
        r#"["x86_64", "aarch64"]"#,
        r#"{"x86_64": {"builtin": "x86-64-variant-provider"},
            "aarch64": {"builtin": "aarch64-variant-provider"}}"#,
        r#"{"v1": {"x86_64": {"level": ["v1"]}}, "v2": {"x86_64": {"level": ["v2"]}},
            "v3": {"x86_64": {"level": ["v3"]}}, "avx": {"x86_64": {"avx512f": ["on"]}},
            "arm": {"aarch64": {"version": ["8.2a"]}}}"#,
    );
    let with = |options: &[(&str, &str)]| {
        let found = judged(&document, &target(options), None);
        labels(&found).join(" ")
    };
    assert_eq!(with(&[]), "v1 null");
    assert_eq!(
        with(&[("wheel-variants", "x86_64::level::v3")]),
        "v3 v2 v1 null"
    );
    assert_eq!(
        with(&[("wheel-variants", "x86_64::level::v2,x86_64::avx512f::on")]),
        "v2 v1 avx null"
    );
    let mut arm = Target::declared("3.11", "aarch64-manylinux_2_28").unwrap();
    let found = judged(&document, &arm, None);
    assert_eq!(labels(&found), ["null"]);
    assert!(found.refused.iter().any(|(label, reason)| label == "v1"
        && reason.ends_with("and the target's processor is aarch64")));
    arm.accelerator.variants = Some(vec!["aarch64::version::9.0a".parse().unwrap()]);
    assert_eq!(labels(&judged(&document, &arm, None)), ["arm", "null"]);
}

#[test]
fn a_label_that_the_file_does_not_tell_of_does_not_suit() {
    let document = cuda();
    let support = Support::of(&document, &target(&[]), None);
    let found = judge(&document, &BTreeSet::from(["cu999", "null"]), &support);
    assert_eq!(labels(&found), ["null"]);
    assert_eq!(
        found.refused,
        [("cu999".to_owned(), "is told of nowhere".to_owned())]
    );
}

#[test]
fn a_large_file_is_judged_in_one_pass_and_a_larger_one_refused() {
    let numbers = |count: u32| {
        let quoted: Vec<String> = (0..count).map(|number| format!("\"{number}\"")).collect();
        quoted.join(",")
    };
    // 20,000 values and 10,000 labels.
    let providers = format!(
        r#"{{"n": {{"static-properties": {{"f": [{}]}}, "feature-order": ["f"]}}}}"#,
        numbers(20_000)
    );
    let labels: Vec<String> = (0..10_000)
        .map(|number| format!(r#""l{number}": {{"n": {{"f": ["{number}", "19999"]}}}}"#))
        .collect();
    let document = listed(r#"["n"]"#, &providers, &format!("{{{}}}", labels.join(",")));
    let best = order(&document);
    assert_eq!(best.len(), 10_001);
    assert_eq!(best.first().map(String::as_str), Some("l0"));
    assert_eq!(best.get(9_999).map(String::as_str), Some("l9999"));

    let text = format!(
        r#"{{"$schema": "{SCHEMA}", "x": "{}"}}"#,
        "x".repeat(1 << 20)
    );
    let refused = VariantsJson::parse(text.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("more than 1048576 cannot be meant"),
        "{refused}"
    );
}
