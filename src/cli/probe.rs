//! Whether the indexes answer, asked afresh and in a few seconds: for `doctor`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pep508_rs::PackageName;

use super::args::ResolveArgs;
use super::error::CliError;
use super::session::{self, Places};
use crate::fetch::client::{Ask, Client};
use crate::fetch::{ClientOptions, FetchError, Index, Progress, RetryPolicy};

/// A distribution that every index of Python packages has.
const PROBE: &str = "pip";

/// How long one index may take to connect, and to begin its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than the page of any one distribution.
const LIMIT: u64 = 64 << 20;

/// What each index answers, in the order in which they are asked; nothing is read from the
/// cache, and no fault is an error.
pub(crate) fn told(args: &ResolveArgs, places: &Places) -> Vec<String> {
    if args.offline {
        return vec!["not asked (`--offline`)".to_owned()];
    }
    match all(args, places) {
        Ok(lines) => lines,
        Err(error) => vec![format!("not asked: {}", error.message())],
    }
}

fn all(args: &ResolveArgs, places: &Places) -> Result<Vec<String>, CliError> {
    let wrong = |error: FetchError| CliError::usage(error.to_string());
    let indexes = session::indexes(args, places).map_err(wrong)?;
    let mut auth = session::authentication(args)?;
    indexes.lend_credentials(&mut auth);
    let options = ClientOptions {
        connect_timeout: PATIENCE,
        read_timeout: PATIENCE,
        retry: RetryPolicy {
            retries: 0,
            ..RetryPolicy::default()
        },
        ..session::client_options(args)?
    };
    let client = Client::new(options, auth, Arc::new(Progress::default()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::usage(error.to_string()))?;
    let default = (!indexes.no_index).then_some(&indexes.default);
    let asked: Vec<&Index> = indexes.extra.iter().chain(default).collect();
    if asked.is_empty() {
        return Ok(vec!["none is asked (`--no-index`)".to_owned()]);
    }
    Ok(asked
        .into_iter()
        .map(|index| one(&runtime, &client, index))
        .collect())
}

fn one(runtime: &tokio::runtime::Runtime, client: &Client, index: &Index) -> String {
    if let Ok(folder) = index.url.to_file_path() {
        let is_there = if folder.is_dir() { "is" } else { "is not" };
        return format!("{} {is_there} there", index.url);
    }
    let Ok(name) = PROBE.parse::<PackageName>() else {
        return index.url.to_string();
    };
    let began = Instant::now();
    match runtime.block_on(client.open(&Ask::new(index.page_url(&name), LIMIT))) {
        Ok(_) => format!(
            "{} answers, in {} ms",
            index.url,
            began.elapsed().as_millis()
        ),
        Err(FetchError::Status { status: 404, .. }) => {
            format!("{} answers, and has no `{PROBE}`", index.url)
        }
        Err(error) => {
            let hint = error.hint().map(|hint| format!("; {hint}"));
            format!("{error}{}", hint.unwrap_or_default())
        }
    }
}
