//! mlresolve.toml and `[tool.mlresolve]`.

use super::super::{AnnotationStyle, IndexStrategy, Settings};
use super::{Memory, compare, show_error};

const EVERYTHING: &str = r#"
python-version = "3.11"
python-platform = "x86_64-manylinux_2_28"
cuda = "12.4"
torch-backend = "cu124"
driver = "550.54"
gpu = ["sm_90"]
wheel-variants = true
variant-property = "x86_64 :: level :: v3"
exclude-newer = 2026-11-01
exclude-newer-index = ["https://download.pytorch.org/whl/cu124=off"]
index-url = "https://index.example/simple/"
extra-index-url = "https://download.pytorch.org/whl/cu124"
index-strategy = "unsafe-best-match"
find-links = ["wheels", "https://files.example/list.html"]
no-index = false
pre = true
no-binary = ["foo,bar", ":none:"]
only-binary = ":all:"
no-build = true
build = [":all:"]
constraint = ["../constraints.txt"]
override = ["overrides.txt"]
base = "base.txt"
provider = { cv2 = "OpenCV_python-headless" }
rules = ["rules"]
extra = ["Gpu_x"]
all-extras = false
group = ["dev"]
no-hashes = false
no-annotate = false
annotation-style = "line"
no-header = true
cache-dir = "/var/cache/mlresolve"
snapshot = "snapshot.zst"

[[index]]
name = "own"
url = "https://own.example/simple/"
explicit = true

[[index]]
name = "mirror"
url = "https://mirror.example/simple/"

[sources]
secret = "own"
torch = { index = "https://download.pytorch.org/whl/cu124" }
numpy = "https://index.example/simple/"

[targets.gpu]
python-version = "3.12"
cuda = "auto"

[outputs."requirements-gpu.txt"]
inputs = ["pyproject.toml"]
constraint = ["c.txt"]
extra = ["gpu"]
all-extras = true
group = ["dev"]
target = "gpu"
"#;

fn read(files: &[(&str, &str)], folder: &str) -> Result<Option<Settings>, String> {
    Settings::find(folder, &Memory::new(files)).map_err(|error| show_error(&error))
}

#[test]
fn every_key_is_read() {
    let settings = read(&[("sub/mlresolve.toml", EVERYTHING)], "sub")
        .expect("it is well formed")
        .expect("it is there");
    let texts = |list: &[super::super::Located<String>]| -> Vec<String> {
        list.iter().map(|one| one.value.clone()).collect()
    };
    assert_eq!(&*settings.file, "sub/mlresolve.toml");
    let version = settings.target.python_version.expect("it is set");
    assert_eq!(version.value, "3.11");
    assert_eq!(version.place.to_string(), "sub/mlresolve.toml:2");
    assert_eq!(version.place.column, 18);
    assert_eq!(
        settings.exclude_newer.map(|date| date.value).as_deref(),
        Some("2026-11-01")
    );
    assert_eq!(
        texts(&settings.extra_index_url),
        ["https://download.pytorch.org/whl/cu124"]
    );
    assert_eq!(
        settings.index_strategy.map(|one| one.value),
        Some(IndexStrategy::UnsafeBestMatch)
    );
    // Paths count from the folder of the file.
    assert_eq!(
        texts(&settings.find_links),
        ["sub/wheels", "https://files.example/list.html"]
    );
    assert_eq!(texts(&settings.constraint), ["sub/../constraints.txt"]);
    assert_eq!(
        settings.base.map(|one| one.value).as_deref(),
        Some("sub/base.txt")
    );
    assert_eq!(
        settings.cache_dir.map(|one| one.value).as_deref(),
        Some("/var/cache/mlresolve")
    );
    assert_eq!(texts(&settings.no_binary), ["foo,bar", ":none:"]);
    assert_eq!(settings.pre.map(|one| one.value), Some(true));
    assert_eq!(settings.no_index.map(|one| one.value), Some(false));
    assert_eq!(
        settings.provider["cv2"].value.as_ref(),
        "opencv-python-headless"
    );
    assert_eq!(
        settings.extra.first().map(|one| one.value.as_ref()),
        Some("gpu-x")
    );
    assert_eq!(
        settings.annotation_style.map(|one| one.value),
        Some(AnnotationStyle::Line)
    );
    let sources: Vec<(&str, &str)> = settings
        .sources
        .iter()
        .map(|(name, index)| (name.as_ref(), index.value.as_str()))
        .collect();
    assert_eq!(
        sources,
        [
            ("numpy", "https://index.example/simple/"),
            ("secret", "own"),
            ("torch", "https://download.pytorch.org/whl/cu124"),
        ]
    );
    let indexes = settings.index.iter();
    let indexes: Vec<(&str, bool)> = indexes
        .map(|index| (index.name.value.as_str(), index.explicit))
        .collect();
    assert_eq!(indexes, [("own", true), ("mirror", false)]);
    assert_eq!(settings.wheel_variants.map(|one| one.value), Some(true));
    assert_eq!(
        texts(&settings.target.variant_property),
        ["x86_64 :: level :: v3"]
    );
    let target = &settings.targets["gpu"];
    assert_eq!(
        target.cuda.as_ref().map(|one| one.value.as_str()),
        Some("auto")
    );
    let output = &settings.outputs["requirements-gpu.txt"];
    assert_eq!(texts(&output.inputs), ["sub/pyproject.toml"]);
    assert_eq!(
        output.target.as_ref().map(|one| one.value.as_str()),
        Some("gpu")
    );
}

#[test]
fn mlresolve_toml_comes_before_pyproject_toml() {
    let pyproject = ("pyproject.toml", "[tool.mlresolve]\npre = true\n");
    let found = |files: &[(&str, &str)]| {
        let settings = read(files, ".").expect("all is well formed");
        settings.map(|settings| (settings.file.to_string(), settings.pre.map(|one| one.value)))
    };
    assert_eq!(found(&[]), None);
    assert_eq!(found(&[("pyproject.toml", "[tool.other]\n")]), None);
    assert_eq!(
        found(&[pyproject]),
        Some(("pyproject.toml".to_owned(), Some(true)))
    );
    assert_eq!(
        found(&[pyproject, ("mlresolve.toml", "pre = false\n")]),
        Some(("mlresolve.toml".to_owned(), Some(false)))
    );
}

/// One wrong file: the error it gives.
#[track_caller]
fn refused(content: &str, expected: &str) {
    let error = read(&[("mlresolve.toml", content)], ".").expect_err("it is wrong");
    compare(&error, expected);
}

#[test]
fn unknown_keys() {
    refused(
        "pre = true\npython_version = '3.11'\n",
        "error: mlresolve.toml:2: there is no setting `python_version`
         code: mlresolve::request::unknown_key
         at: mlresolve.toml:2:1 `python_version`
         help: did you mean `python-version`?",
    );
    refused(
        "[targets.x]\nextra = 'gpu'\n",
        "error: mlresolve.toml:2: there is no setting `targets.x.extra`
         code: mlresolve::request::unknown_key
         at: mlresolve.toml:2:1 `extra`
         help: the settings have the names of the options of `mlresolve lock`",
    );
    refused(
        "[sources.torch]\nindex = 'https://x'\nmarker = ''\n",
        "error: mlresolve.toml:3: there is no setting `sources.torch.marker`
         code: mlresolve::request::unknown_key
         at: mlresolve.toml:3:1 `marker`
         help: the settings have the names of the options of `mlresolve lock`",
    );
}

#[test]
fn what_loosens_stands_on_the_command_line() {
    refused(
        "ignore-rule = ['torch/numpy1-abi']\n",
        "error: mlresolve.toml:1: `ignore-rule` cannot be set in a file
         code: mlresolve::request::command_line_only
         at: mlresolve.toml:1:1 `ignore-rule`
         help: what loosens the rules stands on the command line, where it is seen: `--ignore-rule ID`",
    );
    refused(
        "upgrade = true\n",
        "error: mlresolve.toml:1: `upgrade` cannot be set in a file
         code: mlresolve::request::command_line_only
         at: mlresolve.toml:1:1 `upgrade`
         help: give it on the command line of the run that needs it",
    );
}

/// content | line:column | key | what it must be | what is there | the piece at fault
const WRONG_VALUES: &str = r#"
    python-version = 3.11 | 1:18 | python-version | a text in quotes | the number 3.11 | 3.11
    pre = 'yes' | 1:7 | pre | `true` or `false` | `yes` | 'yes'
    gpu = ['a', 1] | 1:13 | gpu | a text in quotes or an array of them | the number 1 | 1
    exclude-newer = true | 1:17 | exclude-newer | a date such as `2026-11-01`, or an instant | `true` | true
    index-strategy = 'first' | 1:18 | index-strategy | `first-index` or `unsafe-best-match` | `first` | 'first'
    extra = ['a-'] | 1:10 | extra | the name of an extra | `a-` | 'a-'
    no-binary = ['a', 'b@'] | 1:19 | no-binary | names, `:all:` or `:none:` | `b@` | 'b@'
    provider.cv2 = '' | 1:16 | provider.cv2 | the name of a distribution in quotes | `` | ''
    sources = 1 | 1:11 | sources | a table | the number 1 | 1
    sources.torch = {} | 1:17 | sources.torch | `{ index = "URL" }` | a table | {}
    index = 'own' | 1:9 | index | tables that begin with `[[index]]` | `own` | 'own'
    [[index]]\nname = 'own' | 1:1 | index.url | a URL in quotes | nothing | [[index]]
    [[index]]\nname = 'a/b'\nurl = 'https://x/' | 2:8 | index.name | a name, which is no URL or path | `a/b` | 'a/b'
    index = [{name = 'a', url = 'b'}, {name = 'a', url = 'c'}] | 1:43 | index.name | a name that no other index has | `a` | 'a'
    sources.torch = 'own' | 1:17 | sources | a URL, or the name of one of the `[[index]]` tables | `own` | 'own'
    index = [{name = 'own', url = 'b'}]\nsources.torch = 'owm' | 2:17 | sources | a URL, or the name of an index, perhaps `own` | `owm` | 'owm'
    targets.cpu = {}\noutputs.x.target = 'cpus' | 2:20 | target | one of the table `targets`, perhaps `cpu` | `cpus` | 'cpus'
"#;

#[test]
fn wrong_values() {
    for row in WRONG_VALUES.lines().filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        let [content, place, key, expected, found, piece] = cells.as_slice() else {
            panic!("a row has six cells: {row}");
        };
        let line = place.split(':').next().unwrap_or_default();
        refused(
            &content.replace("\\n", "\n"),
            &format!(
                "error: mlresolve.toml:{line}: `{key}` must be {expected}, found {found}
                 code: mlresolve::request::wrong_value
                 at: mlresolve.toml:{place} `{}`
                 help: write {expected}",
                piece.escape_debug(),
            ),
        );
    }
}
