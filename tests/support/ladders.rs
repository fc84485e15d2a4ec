//! The inputs on which people report that resolvers walk, as synthetic worlds.
//!
//! Each has the shape of the real thing (who pins whom, how many releases, where a bound was
//! forgotten) and none of its names, except where a name says what is meant.

use super::Toy;

/// A world, the lines of a request, and what the answer should hold.
#[derive(Debug)]
pub struct Ladder {
    /// What people call it.
    pub name: &'static str,
    /// The index.
    pub toy: Toy,
    /// The user's lines.
    pub lines: Vec<&'static str>,
    /// Pins that the answer should hold.
    pub pins: Vec<(&'static str, String)>,
    /// How many releases the index has.
    pub releases: usize,
}

impl Ladder {
    fn new(name: &'static str, lines: &[&'static str]) -> Self {
        Self {
            name,
            toy: Toy::default(),
            lines: lines.to_vec(),
            pins: Vec::new(),
            releases: 0,
        }
    }

    fn add(&mut self, package: &str, version: &str, requires: &[String]) {
        let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
        self.toy.release(package, version, &requires);
        self.releases += 1;
    }

    fn pin(mut self, package: &'static str, version: impl Into<String>) -> Self {
        self.pins.push((package, version.into()));
        self
    }
}

/// All ladders.
pub fn all() -> Vec<Ladder> {
    vec![
        boto(),
        boto_by_a_client(),
        boto_by_urllib3(),
        numba(),
        numba_forgot(),
        transformers(),
        airflow(),
        autogluon(),
    ]
}

/// boto3 and botocore in step, `count` releases each; s3transfer every twenty of them.
fn boto_world(ladder: &mut Ladder, count: u32) {
    for number in 0..count {
        let older = number / 20;
        ladder.add(
            "boto3",
            &format!("1.{number}.0"),
            &[
                format!("botocore>=1.{number}.0,<1.{}.0", number + 1),
                format!("s3transfer>=0.{older}.0,<0.{}.0", older + 1),
                "jmespath>=0.7,<2".to_owned(),
            ],
        );
        let urllib3 = if number < count / 2 {
            "urllib3>=1.25,<1.27"
        } else {
            "urllib3>=1.25,<3"
        };
        ladder.add(
            "botocore",
            &format!("1.{number}.0"),
            &["jmespath>=0.7,<2".to_owned(), urllib3.to_owned()],
        );
        if number % 20 == 0 {
            let requires = [format!("botocore>=1.{number}.0,<2")];
            ladder.add("s3transfer", &format!("0.{older}.0"), &requires);
        }
    }
    ladder.add("jmespath", "1.0.0", &[]);
    for version in ["1.26.0", "2.0.0", "2.5.0"] {
        ladder.add("urllib3", version, &[]);
    }
}

/// A file system that needs an asynchronous client, which knows only some releases of botocore.
fn boto() -> Ladder {
    let mut ladder = Ladder::new("boto3 beside s3fs", &["boto3", "s3fs"]);
    boto_world(&mut ladder, 400);
    for number in 0..40_u32 {
        let low = number * 9 + 30;
        let requires = [format!("botocore>=1.{low}.0,<1.{}.0", low + 4)];
        ladder.add("aiobotocore", &format!("2.{number}.0"), &requires);
        let requires = [format!("aiobotocore>=2.{number}.0,<3")];
        ladder.add("s3fs", &format!("2025.{number}.0"), &requires);
    }
    // From before it needed the client: the trap.
    ladder.add("s3fs", "0.4.2", &["botocore>=1.12".to_owned()]);
    ladder
        .pin("s3fs", "2025.39.0")
        .pin("aiobotocore", "2.39.0")
        .pin("boto3", "1.384.0")
}

/// A command-line client pins botocore exactly, and the user holds the client back.
fn boto_by_a_client() -> Ladder {
    let mut ladder = Ladder::new("boto3 beside an old awscli", &["boto3", "awscli<1.20"]);
    boto_world(&mut ladder, 400);
    for number in 0..400_u32 {
        let requires = [format!("botocore==1.{number}.0"), "s3transfer<1".to_owned()];
        ladder.add("awscli", &format!("1.{number}.0"), &requires);
    }
    ladder.pin("awscli", "1.19.0").pin("boto3", "1.19.0")
}

/// An old urllib3 is wanted, which half of botocore's releases admit only with a bound below.
fn boto_by_urllib3() -> Ladder {
    let mut ladder = Ladder::new(
        "boto3 beside urllib3 2",
        &["urllib3>=2", "boto3<1.260", "s3transfer"],
    );
    boto_world(&mut ladder, 400);
    ladder.pin("boto3", "1.259.0").pin("urllib3", "2.5.0")
}

/// numba admits a window of numpy, and numpy moves on.
fn numba_world(ladder: &mut Ladder) {
    for number in 0..50_u32 {
        ladder.add("numpy", &format!("1.{number}.0"), &[]);
        ladder.add("numpy", &format!("1.{number}.1"), &[]);
    }
    for number in 10..45_u32 {
        let requires = [
            format!("numpy>=1.{},<1.{}", number - 8, number + 1),
            format!("llvmlite>=0.{number}.0,<0.{}.0", number + 1),
        ];
        ladder.add("numba", &format!("0.{number}.0"), &requires);
        ladder.add("llvmlite", &format!("0.{number}.0"), &[]);
    }
    for number in 0..20_u32 {
        let requires = [
            "numba>=0.10".to_owned(),
            "numpy>=1.8".to_owned(),
            "scipy".to_owned(),
        ];
        ladder.add("umap-learn", &format!("0.5.{number}"), &requires);
        let window = format!("numpy>=1.{},<1.{}", 20 + number, 34 + number);
        ladder.add("scipy", &format!("1.{number}.0"), &[window]);
    }
}

/// numpy is asked for first, and gives way to what was compiled against it.
fn numba() -> Ladder {
    let mut ladder = Ladder::new("numba beside numpy", &["numpy", "umap-learn", "numba"]);
    numba_world(&mut ladder);
    ladder.pin("numba", "0.44.0").pin("umap-learn", "0.5.19")
}

/// An ancient numba says nothing of numpy at all: it must not win while numpy can give way.
fn numba_forgot() -> Ladder {
    let mut ladder = Ladder::new("an ancient numba without a bound", &["numpy", "umap-learn"]);
    numba_world(&mut ladder);
    ladder.add("llvmlite", "0.1.0", &[]);
    ladder.add("numba", "0.1.0", &["llvmlite".to_owned()]);
    for number in 0..5_u32 {
        ladder.add(
            "umap-learn",
            &format!("0.1.{number}"),
            &["numba".to_owned()],
        );
    }
    ladder.pin("numba", "0.44.0").pin("umap-learn", "0.5.19")
}

/// transformers' releases each ask for a newer hub; the user's hub is old.
fn transformers() -> Ladder {
    let mut ladder = Ladder::new(
        "transformers with an old hub",
        &[
            "transformers",
            "huggingface-hub<0.20",
            "datasets",
            "accelerate",
            "peft",
        ],
    );
    for number in 0..60_u32 {
        ladder.add(
            "huggingface-hub",
            &format!("0.{number}.0"),
            &["requests".to_owned()],
        );
    }
    ladder.add("requests", "2.32.0", &[]);
    for minor in 0..60_u32 {
        ladder.add(
            "tokenizers",
            &format!("0.{minor}.0"),
            &[format!("huggingface-hub>=0.{},<1", minor.saturating_sub(5))],
        );
        for patch in 0..3_u32 {
            let requires = [
                format!("huggingface-hub>=0.{},<1", minor.saturating_sub(4)),
                format!("tokenizers>=0.{minor}.0,<0.{}.0", minor + 1),
                "requests".to_owned(),
            ];
            ladder.add("transformers", &format!("4.{minor}.{patch}"), &requires);
        }
        let hub = format!("huggingface-hub>=0.{}", minor.saturating_sub(10));
        for package in ["datasets", "accelerate"] {
            ladder.add(package, &format!("2.{minor}.0"), std::slice::from_ref(&hub));
        }
        let requires = [hub, "transformers".to_owned(), "accelerate>=2.1".to_owned()];
        ladder.add("peft", &format!("0.{minor}.0"), &requires);
    }
    ladder
        .pin("huggingface-hub", "0.19.0")
        .pin("transformers", "4.23.2")
        .pin("datasets", "2.29.0")
        .pin("peft", "0.29.0")
}

/// Many providers, each with a wide bound on the core, which pins its own dependencies.
fn airflow() -> Ladder {
    let mut ladder = Ladder::new(
        "airflow with wide constraints",
        &[
            "apache-airflow",
            "all-providers",
            "sqlalchemy>=2",
            "pydantic<2.8",
        ],
    );
    for number in 0..40_u32 {
        // Only the newest five admit SQLAlchemy 2; from the newest on down two need a newer pydantic.
        let sqlalchemy = if number < 35 {
            "sqlalchemy>=1.4,<2"
        } else {
            "sqlalchemy>=1.4,<3"
        };
        let pydantic = if number >= 38 {
            "pydantic>=2.9"
        } else {
            "pydantic>=2.0"
        };
        let requires = [
            sqlalchemy.to_owned(),
            pydantic.to_owned(),
            format!("flask-appbuilder==4.{number}.0"),
            "provider-0>=1".to_owned(),
        ];
        ladder.add("apache-airflow", &format!("2.{number}.0"), &requires);
        let requires = ["sqlalchemy<3".to_owned(), "flask>=2,<4".to_owned()];
        ladder.add("flask-appbuilder", &format!("4.{number}.0"), &requires);
    }
    let everything: Vec<String> = (0..80)
        .map(|provider| format!("provider-{provider}"))
        .collect();
    ladder.add("all-providers", "1.0.0", &everything);
    for provider in 0..80_u32 {
        for number in 1..=30_u32 {
            let requires = [
                format!("apache-airflow>=2.{}", number + provider % 9),
                format!("client-{provider}>={number}"),
            ];
            ladder.add(
                &format!("provider-{provider}"),
                &format!("{number}.0"),
                &requires,
            );
            ladder.add(
                &format!("client-{provider}"),
                &format!("{number}.0"),
                &["pydantic>=2".to_owned()],
            );
        }
    }
    for minor in 0..12_u32 {
        ladder.add("pydantic", &format!("2.{minor}.0"), &[]);
    }
    for version in ["1.4.50", "2.0.0", "2.1.0"] {
        ladder.add("sqlalchemy", version, &[]);
    }
    for version in ["2.3.0", "3.1.0"] {
        ladder.add("flask", version, &[]);
    }
    ladder
        .pin("apache-airflow", "2.37.0")
        .pin("provider-79", "30.0")
        .pin("sqlalchemy", "2.1.0")
}

/// A family that pins its members exactly, with narrow windows on what they share.
fn autogluon() -> Ladder {
    let mut ladder = Ladder::new(
        "autogluon beside an older torch",
        &["autogluon", "torch<2.15", "pandas"],
    );
    let members = [
        "core",
        "common",
        "features",
        "tabular",
        "multimodal",
        "timeseries",
    ];
    for number in 0..30_u32 {
        let version = format!("1.{number}.0");
        let family: Vec<String> = members
            .iter()
            .map(|member| format!("autogluon-{member}=={version}"))
            .collect();
        ladder.add("autogluon", &version, &family[3..]);
        for member in members {
            let mut requires = vec![
                format!("numpy>=1.{number},<1.{}", number + 6),
                format!("pandas>=2.{number},<2.{}", number + 3),
            ];
            if member != "common" {
                requires.push(format!("autogluon-common=={version}"));
            }
            if !["core", "common", "features"].contains(&member) {
                requires.push(format!("autogluon-core=={version}"));
                requires.push(format!("autogluon-features=={version}"));
            }
            if ["multimodal", "timeseries"].contains(&member) {
                requires.push(format!("torch>=2.{number},<2.{}", number + 2));
                requires.push(format!("lightning>=2.{number},<2.{}", number + 2));
            }
            ladder.add(&format!("autogluon-{member}"), &version, &requires);
        }
    }
    for number in 0..40_u32 {
        let minor = format!("{number}.0");
        ladder.add("numpy", &format!("1.{minor}"), &[]);
        ladder.add("torch", &format!("2.{minor}"), &["numpy".to_owned()]);
        ladder.add(
            "lightning",
            &format!("2.{minor}"),
            &[format!("torch>=2.{}", number.saturating_sub(6))],
        );
        ladder.add(
            "pandas",
            &format!("2.{minor}"),
            &[format!("numpy>=1.{}", number.saturating_sub(9))],
        );
    }
    ladder.pin("autogluon", "1.14.0").pin("torch", "2.14.0")
}
